//! Which input an output takes: by `FID` and `SID`, else by the order of the line.

use std::ops::ControlFlow;

use httpout_options::{Argument, CommandLine, Endpoint, Filter};

use crate::error::StartupError;

/// What an output takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    /// The number of the input.
    pub(super) input: usize,
    /// A reframer with `rt=on` is between.
    pub(super) is_paced: bool,
}

/// What an output takes: what its `SID` names, else the only input that stands before it, without another output between.
pub(super) fn link(line: &CommandLine, output: &Endpoint) -> Result<Link, StartupError> {
    let wanted = argument(&output.arguments, "SID");
    let candidates = match wanted {
        Some(name) => named(line, name),
        None => before(line, output.position),
    };
    let refused = |reason: String| StartupError::Output {
        output: output.url.clone(),
        reason,
    };
    match candidates[..] {
        [input] => Ok(Link {
            input,
            is_paced: is_paced(line, output, input),
        }),
        [] => Err(refused(match wanted {
            Some(name) => format!("no input has `FID={}`", name.escape_debug()),
            None => "there is no input for it: write `-i SOURCE` before it".to_owned(),
        })),
        _ => Err(refused(
            "several inputs could be meant: write `-i SOURCE:FID=a` and `-o URL:SID=a`".to_owned(),
        )),
    }
}

/// The value of an argument; `true` where only its name is given.
pub(super) fn argument<'a>(arguments: &'a [Argument], name: &str) -> Option<&'a str> {
    let found = arguments.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_deref().unwrap_or("true"))
}

/// Whether an argument is there and says yes; none where it says neither yes nor no.
pub(super) fn switch(arguments: &[Argument], name: &str) -> Option<bool> {
    match argument(arguments, name) {
        Some("on" | "true" | "yes" | "1" | "sync") => Some(true),
        None | Some("off" | "false" | "no" | "0") => Some(false),
        Some(_) => None,
    }
}

/// The inputs of that name, and those of the filters of that name.
fn named(line: &CommandLine, name: &str) -> Vec<usize> {
    let mut named = named_inputs(line, name);
    let filters = line.filters.iter();
    let filters = filters.filter(|filter| argument(&filter.arguments, "FID") == Some(name));
    named.extend(filters.flat_map(|filter| taken(line, filter)));
    named
}

/// The inputs that a filter takes.
fn taken(line: &CommandLine, filter: &Filter) -> Vec<usize> {
    match argument(&filter.arguments, "SID") {
        Some(name) => named_inputs(line, name),
        None => before(line, filter.position),
    }
}

fn named_inputs(line: &CommandLine, name: &str) -> Vec<usize> {
    let inputs = line.inputs.iter().enumerate();
    let named = inputs.filter(|(_, input)| argument(&input.arguments, "FID") == Some(name));
    named.map(|(number, _)| number).collect()
}

/// The inputs that stand before a position, as far as no output stands between them; the only one wherever it stands.
fn before(line: &CommandLine, position: usize) -> Vec<usize> {
    if line.inputs.len() == 1 {
        return vec![0];
    }
    let mut inputs = Vec::new();
    let is_output = |at: usize| line.outputs.iter().any(|output| output.position == at);
    let input_at = |at: usize| line.inputs.iter().position(|input| input.position == at);
    let _ = (0..position).rev().try_for_each(|at| match input_at(at) {
        Some(input) => {
            inputs.push(input);
            ControlFlow::Continue(())
        }
        None if is_output(at) && !inputs.is_empty() => ControlFlow::Break(()),
        None => ControlFlow::Continue(()),
    });
    inputs
}

/// Whether a reframer stands between: one that the output names, or any that takes the input without being named.
fn is_paced(line: &CommandLine, output: &Endpoint, input: usize) -> bool {
    let wanted = argument(&output.arguments, "SID");
    let pacing = line
        .filters
        .iter()
        .filter(|filter| switch(&filter.arguments, "rt") == Some(true));
    pacing
        .filter(|filter| taken(line, filter).contains(&input))
        .any(|filter| {
            let [own, of] = ["FID", "SID"].map(|name| argument(&filter.arguments, name));
            own == wanted || wanted.is_none() || of.is_none()
        })
}

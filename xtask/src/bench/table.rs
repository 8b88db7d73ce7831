//! The result of a workload, as text.

use std::fmt::Write;

use super::Sample;
use super::workloads::{Goal, Workload};

/// The contenders' samples as a table, then each goal and whether it is met.
pub(super) fn table(workload: &Workload, samples: &[Vec<Sample>]) -> String {
    let mut text = String::new();
    let rounds = samples.first().map_or(0, Vec::len);
    let reference = workload.contenders[0].name;
    // Writing into a string cannot fail.
    let _ = writeln!(
        text,
        "\n{}: {}\nserver CPU for each request, median of {rounds} rounds\n",
        workload.name, workload.title
    );
    let _ = writeln!(
        text,
        "{:<24}{:>9}{:>17}{:>11}{:>12}",
        "",
        "µs",
        "min..max",
        format!("× {reference}"),
        "requests/s"
    );
    for (contender, own) in workload.contenders.iter().zip(samples) {
        let micros = Spread::of(own.iter().map(|sample| sample.micros));
        let ratio = Spread::of(paired(&samples[0], own, |reference, own| reference / own));
        let rate = Spread::of(own.iter().map(|sample| sample.requests_per_second));
        let _ = writeln!(
            text,
            "{:<24}{:>9.2}{:>17}{:>11.2}{:>12.0}",
            contender.name,
            micros.median,
            micros.range(),
            ratio.median,
            rate.median
        );
    }
    for goal in workload.goals {
        let _ = writeln!(text, "{}", judge(goal, workload, samples));
    }
    text
}

fn judge(goal: &Goal, workload: &Workload, samples: &[Vec<Sample>]) -> String {
    let of = |name: &str| {
        workload
            .contenders
            .iter()
            .position(|contender| contender.name == name)
            .map(|index| &samples[index])
            .expect("a goal names a contender of its workload")
    };
    let verdict = |met: bool| if met { "met" } else { "NOT met" };
    match *goal {
        Goal::Ratio {
            contender,
            at_least,
        } => {
            let ratio = Spread::of(paired(&samples[0], of(contender), |reference, own| {
                reference / own
            }));
            format!(
                "{contender}: {:.2} × {} ({}); goal: at least {at_least}, {}",
                ratio.median,
                workload.contenders[0].name,
                ratio.range(),
                verdict(ratio.median >= at_least)
            )
        }
        Goal::Adds {
            contender,
            over,
            at_most_micros,
        } => {
            let adds = Spread::of(paired(of(over), of(contender), |without, with| {
                with - without
            }));
            format!(
                "{contender}: adds {:.2} µs ({}) to {over}; goal: at most {at_most_micros}, {}",
                adds.median,
                adds.range(),
                verdict(adds.median <= at_most_micros)
            )
        }
    }
}

/// Compares within each round, where the machine was as fast for both.
fn paired<'a>(
    first: &'a [Sample],
    second: &'a [Sample],
    compare: impl Fn(f64, f64) -> f64 + 'a,
) -> impl Iterator<Item = f64> + 'a {
    first
        .iter()
        .zip(second)
        .map(move |(first, second)| compare(first.micros, second.micros))
}

struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Self {
            least: values[0],
            median,
            most: values[values.len() - 1],
        }
    }

    fn range(&self) -> String {
        format!("{:.2}..{:.2}", self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::super::workloads::WORKLOADS;
    use super::*;

    #[test]
    fn spread_is_of_the_sorted_values() {
        let odd = Spread::of([3.0, 1.0, 2.0].into_iter());
        assert_eq!((odd.least, odd.median, odd.most), (1.0, 2.0, 3.0));
        let even = Spread::of([4.0, 1.0, 2.0, 3.0].into_iter());
        assert_eq!(even.median, 2.5);
    }

    #[test]
    fn every_goal_names_contenders_of_its_workload() {
        let sample = Sample {
            micros: 10.0,
            requests_per_second: 1.0,
        };
        for workload in WORKLOADS {
            let samples = vec![vec![sample]; workload.contenders.len()];
            assert!(table(workload, &samples).contains(", met"));
        }
    }
}

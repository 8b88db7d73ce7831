//! The result of a workload, as text.

use std::fmt::{self, Write};

use super::figures::{Figures, Sample, Unit};
use super::workloads::{Goal, Workload};

/// The contenders' samples as a table, then what else is to say of them, and each goal and whether it is met.
pub(super) fn table(workload: &Workload, figures: &[Figures]) -> String {
    let mut text = String::new();
    let rounds = figures.iter().map(|own| own.samples.len()).max();
    let unit = workload.unit;
    let reference = workload.contenders[0].name;
    // Writing into a string cannot fail.
    let _ = writeln!(
        text,
        "\n{}: {}\n{}, median of {} rounds\n",
        workload.name,
        workload.title,
        unit.about(),
        rounds.unwrap_or_default()
    );
    let _ = writeln!(
        text,
        "{:<24}{:>9}{:>19}{:>11}{:>13}",
        "",
        unit.name(),
        "min..max",
        format!("× {reference}"),
        unit.rate()
    );
    for (contender, own) in workload.contenders.iter().zip(figures) {
        let _ = writeln!(
            text,
            "{}",
            row(contender.name, unit, &figures[0].samples, &own.samples)
        );
    }
    for (contender, own) in workload.contenders.iter().zip(figures) {
        if let Some(remark) = &own.remark {
            let _ = writeln!(text, "{}: {remark}", contender.name);
        }
    }
    for goal in workload.goals {
        let _ = writeln!(text, "{}", judge(goal, workload, figures));
    }
    text
}

fn row(name: &str, unit: Unit, reference: &[Sample], own: &[Sample]) -> String {
    let decimals = unit.decimals();
    let costs = own.iter().map(|sample| sample.cost);
    let (Some(cost), Some(rate)) = (
        Spread::of(costs),
        Spread::of(own.iter().map(|sample| sample.rate)),
    ) else {
        return format!("{name:<24}{:>9}{:>19}{:>11}{:>13}", "-", "-", "-", "-");
    };
    let ratio = Spread::of(paired(reference, own, |reference, own| reference / own));
    format!(
        "{name:<24}{:>9.decimals$}{:>19}{:>11}{:>13.0}",
        cost.median,
        cost.range(decimals),
        ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{:.2}", ratio.median)),
        rate.median
    )
}

fn judge(goal: &Goal, workload: &Workload, figures: &[Figures]) -> String {
    let of = |name: &str| {
        let index = workload
            .contenders
            .iter()
            .position(|contender| contender.name == name)
            .expect("a goal names a contender of its workload");
        figures[index].samples.as_slice()
    };
    let reference = &figures[0].samples;
    let (unit, decimals) = (workload.unit.name(), workload.unit.decimals());
    let (contender, spread, decimals, what, bound) = match *goal {
        Goal::Ratio {
            contender,
            at_least,
        } => (
            contender,
            Spread::of(paired(reference, of(contender), |other, own| other / own)),
            2,
            format!("× {}", workload.contenders[0].name),
            Bound::AtLeast(at_least),
        ),
        Goal::Adds {
            contender,
            over,
            at_most,
        } => (
            contender,
            Spread::of(paired(of(over), of(contender), |without, with| {
                with - without
            })),
            decimals,
            format!("{unit} more than {over}"),
            Bound::AtMost(at_most),
        ),
        Goal::Takes { contender, at_most } => (
            contender,
            Spread::of(of(contender).iter().map(|sample| sample.cost)),
            decimals,
            unit.to_owned(),
            Bound::AtMost(at_most),
        ),
    };
    match spread {
        Some(spread) => format!(
            "{contender}: {:.decimals$} {what} ({}); goal: {bound}, {}",
            spread.median,
            spread.range(decimals),
            if bound.is_met(spread.median) {
                "met"
            } else {
                "NOT met"
            }
        ),
        None => format!("{contender}: not measured; goal: {bound} {what}, NOT met"),
    }
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn is_met(&self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= *bound,
            Self::AtMost(bound) => value <= *bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(formatter, "at least {bound}"),
            Self::AtMost(bound) => write!(formatter, "at most {bound}"),
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
        .map(move |(first, second)| compare(first.cost, second.cost))
}

struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    /// Nothing where there are no values.
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let (&least, &most) = (values.first()?, values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Self {
            least,
            median,
            most,
        })
    }

    fn range(&self, decimals: usize) -> String {
        format!("{:.decimals$}..{:.decimals$}", self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::super::workloads::WORKLOADS;
    use super::*;

    #[test]
    fn spread_is_of_the_sorted_values() {
        let odd = Spread::of([3.0, 1.0, 2.0].into_iter()).unwrap();
        assert_eq!((odd.least, odd.median, odd.most), (1.0, 2.0, 3.0));
        let even = Spread::of([4.0, 1.0, 2.0, 3.0].into_iter()).unwrap();
        assert_eq!(even.median, 2.5);
        assert!(Spread::of(std::iter::empty()).is_none());
    }

    #[test]
    fn every_goal_names_contenders_of_its_workload() {
        let sample = Sample {
            cost: 10.0,
            rate: 1.0,
        };
        for workload in WORKLOADS {
            let figures = workload.contenders.iter().map(|_| Figures {
                samples: vec![sample],
                remark: None,
            });
            assert!(table(workload, &figures.collect::<Vec<_>>()).contains("; goal: "));
        }
    }

    #[test]
    fn who_cannot_do_it_has_a_line_that_says_why() {
        let workload = &WORKLOADS[0];
        let sample = Sample {
            cost: 10.0,
            rate: 1.0,
        };
        let able = Figures {
            samples: vec![sample],
            remark: None,
        };
        let unable = Figures {
            samples: Vec::new(),
            remark: Some("cannot do this: too old".to_owned()),
        };
        let text = table(workload, &[able, unable]);
        assert!(text.contains("httpout: cannot do this: too old"));
        assert!(text.contains("httpout: not measured; goal: at least 1 × nginx, NOT met"));
    }
}

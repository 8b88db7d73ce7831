//! What was measured, in the unit of its workload.

use std::time::Duration;

/// What a workload counts. Less is better in each.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    /// Server CPU for each request, in µs.
    Micros,
    /// Server CPU for a gigabyte of bodies, in ms.
    MillisPerGigabyte,
    /// Memory of the server for each connection.
    Bytes,
    /// Time for each start, in ms.
    Millis,
    /// What one in a hundred chunks of a live upload exceeds on its way, in ms.
    Delay,
}

/// What a load did with a server.
#[derive(Debug, PartialEq)]
pub(super) struct Done {
    pub(super) requests: u64,
    /// Of the bodies; some loads count the heads too.
    pub(super) bytes: u64,
    pub(super) time: Duration,
}

/// What one contender did in one round.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    /// In the workload's unit.
    pub(super) cost: f64,
    /// What was done in a second, or how often it was done, as `Unit::rate` names it.
    pub(super) rate: f64,
}

/// All that is known of one contender.
#[derive(Default)]
pub(super) struct Figures {
    /// One for each round, none where it cannot do the work.
    pub(super) samples: Vec<Sample>,
    /// What the table says besides: why it cannot, how small a compressed body is.
    pub(super) remark: Option<String>,
}

impl Unit {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Micros => "µs",
            Self::MillisPerGigabyte => "ms/GB",
            Self::Bytes => "bytes",
            Self::Millis | Self::Delay => "ms",
        }
    }

    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Micros => "server CPU for each request",
            Self::MillisPerGigabyte => "server CPU for each GB",
            Self::Bytes => "resident memory for each connection",
            Self::Millis => "time for each start",
            Self::Delay => "delay that 1 % of the chunks exceed",
        }
    }

    pub(super) fn rate(self) -> &'static str {
        match self {
            Self::Micros => "requests/s",
            Self::MillisPerGigabyte => "MB/s",
            Self::Bytes => "connections",
            Self::Millis => "starts/s",
            Self::Delay => "chunks/s",
        }
    }

    /// The decimals that mean something.
    pub(super) fn decimals(self) -> usize {
        match self {
            Self::Micros | Self::Delay => 2,
            Self::MillisPerGigabyte | Self::Millis => 1,
            Self::Bytes => 0,
        }
    }
}

impl Sample {
    /// Server CPU that was spent on a load.
    pub(super) fn of_cpu(unit: Unit, spent: Duration, done: &Done) -> Self {
        let amount = match unit {
            Unit::Micros | Unit::Bytes | Unit::Millis | Unit::Delay => done.requests as f64 / 1e6,
            Unit::MillisPerGigabyte => done.bytes as f64 / 1e12,
        };
        let counted = match unit {
            Unit::Micros | Unit::Bytes | Unit::Millis | Unit::Delay => done.requests as f64,
            Unit::MillisPerGigabyte => done.bytes as f64 / 1e6,
        };
        Self {
            cost: spent.as_secs_f64() / amount,
            rate: counted / done.time.as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_for_a_request_or_a_gigabyte() {
        let done = Done {
            requests: 1000,
            bytes: 2_000_000_000,
            time: Duration::from_secs(2),
        };
        let spent = Duration::from_millis(20);
        let requests = Sample::of_cpu(Unit::Micros, spent, &done);
        assert!((requests.cost - 20.0).abs() < 1e-9);
        assert!((requests.rate - 500.0).abs() < 1e-9);
        let bytes = Sample::of_cpu(Unit::MillisPerGigabyte, spent, &done);
        assert!((bytes.cost - 10.0).abs() < 1e-9);
        assert!((bytes.rate - 1000.0).abs() < 1e-9);
    }
}

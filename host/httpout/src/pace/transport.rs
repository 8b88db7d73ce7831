//! MPEG-2 transport streams (ISO 13818-1), by the clock references of the first programme that has any.

use std::time::Duration;

use crate::pace::Step;

const PACKET: usize = 188;

const SYNC: u8 = 0x47;

/// Ticks of the clock in a second.
const CLOCK: u64 = 27_000_000;

/// After so many ticks it begins again.
const WRAP: u64 = (1 << 33) * 300;

/// A longer step of the clock is a jump to another time, which nobody is to wait for.
const JUMP: u64 = 10 * CLOCK;

#[derive(Default)]
pub(super) struct Transport {
    /// The packets that carry the clock.
    pid: Option<u16>,
    last: Option<u64>,
}

/// Whether packets begin here.
pub(super) fn is_at(start: &[u8]) -> bool {
    let mut packets = start.chunks_exact(PACKET).take(3).peekable();
    packets.peek().is_some() && packets.all(|packet| packet[0] == SYNC)
}

impl Transport {
    /// A packet. One with a clock reference comes as long after the last as they are apart, and what follows with it.
    pub(super) fn step(&mut self, buffer: &[u8]) -> Step {
        if buffer[0] != SYNC {
            let next = buffer.iter().position(|&byte| byte == SYNC);
            return Step::Skip(next.unwrap_or(buffer.len()));
        }
        let Some(packet) = buffer.get(..PACKET) else {
            return Step::More;
        };
        let mut elapsed = Duration::ZERO;
        if let Some((pid, clock)) = reference(packet)
            && *self.pid.get_or_insert(pid) == pid
            && let Some(last) = self.last.replace(clock)
        {
            let ticks = (clock + WRAP - last) % WRAP;
            if ticks < JUMP {
                elapsed = Duration::from_nanos(ticks * 1000 / 27);
            }
        }
        Step::UnitAfter(PACKET, elapsed)
    }
}

/// The clock reference of a packet, and whose it is.
fn reference(packet: &[u8]) -> Option<(u16, u64)> {
    let pid = u16::from_be_bytes([packet[1], packet[2]]) & 0x1fff;
    let has_adaptation = packet[3] & 0x20 != 0 && packet[4] >= 7;
    if !has_adaptation || packet[5] & 0x10 == 0 {
        return None;
    }
    let field = &packet[6..12];
    let base = u64::from(u32::from_be_bytes([field[0], field[1], field[2], field[3]])) << 1
        | u64::from(field[4] >> 7);
    let extension = u64::from(field[4] & 1) << 8 | u64::from(field[5]);
    Some((pid, base * 300 + extension))
}

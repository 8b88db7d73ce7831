//! Follows the bytes of an ISO file as they are written, and finds its fragments.
//!
//! Only what describes media is looked at and copied, never the media itself: what a large upload costs is one look at
//! the head of each box.

use bytes::Buf as _;

use crate::presentation::boxes::{Head, Init};

/// The largest box that is read, in bytes. Those of fragments have some hundred, those of init segments some thousand.
const LARGEST: u64 = 1 << 20;

/// A fragment that is there: its head, its media, and what stands before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) head: Head,
}

/// What is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Init(Init),
    Fragment(Fragment),
}

/// Where it is in a file.
#[derive(Debug)]
pub(crate) struct Scanner {
    state: State,
    /// Bytes that are behind it.
    position: u64,
    /// Where the fragment begins that comes next, and its head where that is known.
    offset: u64,
    head: Option<Head>,
}

#[derive(Debug)]
enum State {
    /// In the head of a box: at least 8 bytes, 16 where its length is a large one.
    Head(Vec<u8>),
    /// In a box that is read, of which so many bytes are missing.
    Content {
        kind: [u8; 4],
        content: Vec<u8>,
        missing: usize,
    },
    /// In a box that is passed over, of which so many bytes are left; none where it goes on to the end of the file.
    Passing { kind: [u8; 4], left: Option<u64> },
    /// This is no ISO file.
    Lost,
}

impl Scanner {
    pub(crate) fn new() -> Scanner {
        Scanner {
            state: State::Head(Vec::new()),
            position: 0,
            offset: 0,
            head: None,
        }
    }

    /// Goes on with the next bytes.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut found: impl FnMut(Found)) {
        while !bytes.is_empty() && !matches!(self.state, State::Lost) {
            let before = bytes.len();
            let ended = self.step(&mut bytes);
            self.position += (before - bytes.len()) as u64;
            if let Some((kind, content)) = ended
                && let Some(one) = self.end_box(kind, &content)
            {
                found(one);
            }
        }
    }

    /// The file ends here.
    pub(crate) fn finish(&mut self) -> Option<Found> {
        match self.state {
            State::Passing { kind, left: None } => self.end_box(kind, &[]),
            _ => None,
        }
    }

    /// Takes bytes as far as they belong together; a box that ends with them, and its content if it is read.
    fn step(&mut self, bytes: &mut &[u8]) -> Option<([u8; 4], Vec<u8>)> {
        match &mut self.state {
            State::Head(head) => {
                head.push(bytes.get_u8());
                let next = next_state(head)?;
                self.state = next;
                // It may be empty.
                match self.state {
                    State::Passing {
                        kind,
                        left: Some(0),
                    } => Some((kind, Vec::new())),
                    _ => None,
                }
            }
            State::Content {
                kind,
                content,
                missing,
            } => {
                let count = bytes.len().min(*missing);
                content.extend_from_slice(&bytes[..count]);
                bytes.advance(count);
                *missing -= count;
                (*missing == 0).then(|| (*kind, std::mem::take(content)))
            }
            State::Passing { kind, left } => {
                let Some(left) = left else {
                    bytes.advance(bytes.len());
                    return None;
                };
                let count = usize::try_from(*left).unwrap_or(usize::MAX);
                let count = count.min(bytes.len());
                bytes.advance(count);
                *left -= count as u64;
                (*left == 0).then(|| (*kind, Vec::new()))
            }
            State::Lost => None,
        }
    }

    fn end_box(&mut self, kind: [u8; 4], content: &[u8]) -> Option<Found> {
        self.state = State::Head(Vec::new());
        match &kind {
            b"moov" => {
                self.offset = self.position;
                Init::parse(content).map(Found::Init)
            }
            b"moof" => {
                self.head = Head::parse(content);
                None
            }
            b"mdat" => {
                let head = self.head.take()?;
                let fragment = Fragment {
                    offset: self.offset,
                    length: self.position - self.offset,
                    head,
                };
                self.offset = self.position;
                Some(Found::Fragment(fragment))
            }
            _ => None,
        }
    }
}

/// What follows a head; none as long as it is not complete.
fn next_state(head: &[u8]) -> Option<State> {
    let (size, rest) = head.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let left = match u32::from_be_bytes(*size) {
        0 => None,
        1 => {
            let (size, _) = rest.split_first_chunk::<8>()?;
            match u64::from_be_bytes(*size).checked_sub(16) {
                Some(size) => Some(size),
                None => return Some(State::Lost),
            }
        }
        size => match size.checked_sub(8) {
            Some(size) => Some(size.into()),
            None => return Some(State::Lost),
        },
    };
    let is_read = matches!(kind, b"moov" | b"moof");
    Some(match left {
        Some(1..=LARGEST) if is_read => {
            let missing = usize::try_from(left?).expect("is small");
            State::Content {
                kind: *kind,
                content: Vec::new(),
                missing,
            }
        }
        _ if is_read => State::Lost,
        _ => State::Passing { kind: *kind, left },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presentation::cmaf::{self, fragment, init, plain_box};

    fn scan(bytes: &[u8], pieces: usize) -> Vec<Found> {
        let mut scanner = Scanner::new();
        let mut all = Vec::new();
        for piece in bytes.chunks(pieces) {
            scanner.push(piece, |found| all.push(found));
        }
        all.extend(scanner.finish());
        all
    }

    #[test]
    fn fragments_are_found_however_the_bytes_come() {
        let start = [plain_box(b"styp", b"cmfs"), plain_box(b"prft", &[0; 24])].concat();
        let one = fragment(1, 90_000, &[(3000, true), (3000, false)], b"media");
        let two = fragment(1, 96_000, &[(1500, false)], b"");
        let bytes = [&start[..], &one, &two].concat();
        let all = scan(&bytes, bytes.len());
        let places: Vec<_> = all
            .iter()
            .map(|found| match found {
                Found::Fragment(fragment) => (fragment.offset, fragment.length, fragment.head.time),
                Found::Init(_) => panic!("{found:?}"),
            })
            .collect();
        let (first, second) = (start.len() + one.len(), two.len());
        assert_eq!(
            places,
            [
                (0, first as u64, 90_000),
                (first as u64, second as u64, 96_000)
            ]
        );
        for pieces in [1, 2, 7, 64] {
            assert_eq!(scan(&bytes, pieces), all, "{pieces}");
        }
    }

    #[test]
    fn a_fragment_counts_when_its_media_are_complete() {
        let bytes = fragment(1, 0, &[(10, true)], b"media");
        assert!(scan(&bytes[..bytes.len() - 1], 5).is_empty());
        assert_eq!(scan(&bytes, 5).len(), 1);
    }

    #[test]
    fn durations_and_flags_come_from_where_they_stand() {
        let found = scan(&init(1, 90_000, 1001), 9);
        let [Found::Init(init)] = &found[..] else {
            panic!("{found:?}");
        };
        let head = |bytes: &[u8]| match scan(bytes, 100).pop() {
            Some(Found::Fragment(fragment)) => fragment.head,
            other => panic!("{other:?}"),
        };
        let told = head(&fragment(1, 5, &[(3000, true), (2000, false)], b""));
        assert_eq!(
            (init.timescale(&told), init.duration(&told)),
            (90_000, 5000)
        );
        assert!(init.is_independent(&told));
        let dependent = head(&fragment(1, 5, &[(3000, false)], b""));
        assert!(!init.is_independent(&dependent));
        let untold = head(&cmaf::fragment_of_defaults(1, 5, 4));
        assert_eq!(init.duration(&untold), 4004);
        assert!(init.is_independent(&untold));
    }

    #[test]
    fn media_of_any_length_are_passed_over() {
        let mut bytes = fragment(1, 0, &[(10, true)], b"");
        let head = bytes.len() - 8;
        bytes.truncate(head);
        let large = [
            &bytes[..],
            b"\0\0\0\x01mdat",
            &116_u64.to_be_bytes(),
            &[7; 100],
        ]
        .concat();
        assert_eq!(scan(&large, 33).len(), 1);
        // Up to the end of the file.
        bytes.extend_from_slice(b"\0\0\0\0mdat");
        bytes.extend_from_slice(&[7; 100]);
        assert_eq!(scan(&bytes, 33).len(), 1);
    }

    #[test]
    fn what_is_something_else_is_let_go() {
        for bytes in [
            &b"\0\0\0\x02moof and so on, for long enough"[..],
            b"\xff\xff\xff\xffmoof and so on, for long enough",
            b"\0\0\0\x01moof\0\0\0\0\0\0\0\x01 and so on",
            b"hello, this is a text that is long enough",
        ] {
            assert!(scan(bytes, 3).is_empty());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes: Vec<u8>, pieces in 1_usize..50) {
            scan(&bytes, pieces);
        }

        #[test]
        fn what_is_damaged_does_no_harm(at in 0_usize..150, value: u8) {
            let mut bytes = [init(1, 90_000, 1001), fragment(1, 0, &[(10, true); 5], b"media")].concat();
            let at = at % bytes.len();
            bytes[at] = value;
            for found in scan(&bytes, 20) {
                if let Found::Init(init) = found {
                    let fragment = scan(&fragment(1, 0, &[(10, true)], b""), 20);
                    if let Some(Found::Fragment(fragment)) = fragment.first() {
                        let _ = (init.timescale(&fragment.head), init.duration(&fragment.head));
                    }
                }
            }
        }
    }
}

//! ID3v2: tags before the first frame, which tell what is playing. They are not sent: they belong to a file.

/// The length of the tag at the beginning; 0 where there is none.
pub(super) fn length(start: &[u8]) -> usize {
    match start {
        [b'I', b'D', b'3', _, _, flags, size @ ..] if size.len() >= 4 => {
            let footer = if flags & 0x10 != 0 { 10 } else { 0 };
            10 + synchsafe(size) + footer
        }
        _ => 0,
    }
}

/// Artist and title, as far as the tag has come.
pub(super) fn title(start: &[u8]) -> Option<String> {
    let tag = start.get(..length(start).min(start.len()))?;
    let version = *tag.get(3)?;
    if !(3..=4).contains(&version) {
        return None;
    }
    let (mut artist, mut title) = (None, None);
    let mut rest = tag.get(10..)?;
    while let Some((head, body)) = rest.split_at_checked(10) {
        let size = match version {
            3 => u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize,
            _ => synchsafe(&head[4..8]),
        };
        let Some((content, behind)) = body.split_at_checked(size) else {
            break;
        };
        match &head[..4] {
            b"TPE1" => artist = text(content),
            b"TIT2" => title = text(content),
            [0, ..] => break,
            _ => {}
        }
        rest = behind;
    }
    match (artist, title) {
        (Some(artist), Some(title)) => Some(format!("{artist} - {title}")),
        (artist, title) => title.or(artist),
    }
}

fn synchsafe(bytes: &[u8]) -> usize {
    let seven = |number: usize, byte: &u8| number << 7 | usize::from(byte & 0x7f);
    bytes.iter().take(4).fold(0, seven)
}

/// A text in one of the four encodings, up to its first zero.
fn text(content: &[u8]) -> Option<String> {
    let (encoding, bytes) = content.split_first()?;
    let text = match encoding {
        0 => bytes.iter().map(|&byte| char::from(byte)).collect(),
        1 | 2 => {
            let is_little = bytes.starts_with(&[0xff, 0xfe]);
            let units = bytes.chunks_exact(2).map(|pair| match is_little {
                true => u16::from_le_bytes([pair[0], pair[1]]),
                false => u16::from_be_bytes([pair[0], pair[1]]),
            });
            let units: Vec<u16> = units.filter(|unit| *unit != 0xfeff).collect();
            String::from_utf16_lossy(&units)
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    let text = text
        .split('\0')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    (!text.is_empty()).then_some(text)
}

//! CMAF files, byte by byte. The unit tests of the server use them too.

/// A box.
pub(crate) fn plain_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).expect("is short");
    [&size.to_be_bytes()[..], kind, content].concat()
}

fn full_box(kind: &[u8; 4], flags: u32, fields: &[u32]) -> Vec<u8> {
    let fields = std::iter::once(&flags).chain(fields);
    let content: Vec<u8> = fields.flat_map(|field| field.to_be_bytes()).collect();
    plain_box(kind, &content)
}

/// An init segment of one track, whose samples are that long where they do not say it.
pub(crate) fn init(track: u32, timescale: u32, duration: u32) -> Vec<u8> {
    let mut header = vec![0; 20];
    header[2] = track;
    let header = full_box(b"tkhd", 3, &header);
    let media = full_box(b"mdhd", 0, &[0, 0, timescale, 0, 0x55c4_0000]);
    let trak = [header, plain_box(b"mdia", &media)].concat();
    let defaults = full_box(b"trex", 0, &[track, 1, duration, 0, 0]);
    let moov = [
        plain_box(b"trak", &trak),
        plain_box(b"mvex", &defaults),
        plain_box(b"udta", b"what else there is"),
    ];
    [
        plain_box(b"ftyp", b"cmfc"),
        plain_box(b"moov", &moov.concat()),
    ]
    .concat()
}

/// A fragment of samples: how long each is, and whether it needs no others.
pub(crate) fn fragment(track: u32, time: u32, samples: &[(u32, bool)], media: &[u8]) -> Vec<u8> {
    let count = u32::try_from(samples.len()).expect("are few");
    let entries = samples.iter().flat_map(|(duration, is_sync)| {
        let flags = if *is_sync { 0x0200_0000 } else { 0x0101_0000 };
        [*duration, flags]
    });
    let fields: Vec<u32> = std::iter::once(count).chain(entries).collect();
    moof(track, time, &full_box(b"trun", 0x500, &fields), media)
}

/// A fragment of samples that say nothing of themselves.
pub(crate) fn fragment_of_defaults(track: u32, time: u32, count: u32) -> Vec<u8> {
    moof(track, time, &full_box(b"trun", 0, &[count]), b"")
}

fn moof(track: u32, time: u32, run: &[u8], media: &[u8]) -> Vec<u8> {
    let traf = [
        full_box(b"tfhd", 0x2_0000, &[track]),
        full_box(b"tfdt", 0, &[time]),
        run.to_vec(),
    ];
    let moof = [
        full_box(b"mfhd", 0, &[1]),
        plain_box(b"traf", &traf.concat()),
    ];
    [
        plain_box(b"moof", &moof.concat()),
        plain_box(b"mdat", media),
    ]
    .concat()
}

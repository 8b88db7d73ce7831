//! What a player of HLS asks of a playlist (RFC 8216bis 6.2.5).

use crate::error::Reject;

/// The delivery directives of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Directives {
    /// The answer is to hold this segment, or the part of it.
    pub(crate) awaited: Option<(u64, Option<u64>)>,
    /// What the player has already may be left out.
    pub(crate) skips: bool,
}

impl Directives {
    /// Reads the query of a request.
    ///
    /// # Errors
    /// 400 for what cannot be meant.
    pub(crate) fn parse(query: &str) -> Result<Directives, Reject> {
        let (mut segment, mut part) = (None, None);
        let mut directives = Directives::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "_HLS_msn" => segment = Some(number(value)?),
                "_HLS_part" => part = Some(number(value)?),
                "_HLS_skip" if matches!(value, "YES" | "v2") => directives.skips = true,
                "_HLS_skip" => return Err(Reject::BadRequest("`_HLS_skip` is `YES` or `v2`")),
                _ => {}
            }
        }
        if segment.is_none() && part.is_some() {
            return Err(Reject::BadRequest("`_HLS_part` needs `_HLS_msn`"));
        }
        directives.awaited = segment.map(|segment| (segment, part));
        Ok(directives)
    }
}

fn number(text: &str) -> Result<u64, Reject> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or(Reject::BadRequest(
        "`_HLS_msn` and `_HLS_part` are numbers without a sign",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_players_ask_is_understood() {
        let parsed = |query| Directives::parse(query).ok();
        let asked = |awaited, skips| Some(Directives { awaited, skips });
        for (query, expected) in [
            ("", asked(None, false)),
            ("token=a", asked(None, false)),
            ("_HLS_msn=7", asked(Some((7, None)), false)),
            (
                "t=1&_HLS_msn=7&_HLS_part=0&_HLS_skip=YES",
                asked(Some((7, Some(0))), true),
            ),
            ("_HLS_skip=v2", asked(None, true)),
            ("_HLS_skip=NO", None),
            ("_HLS_part=1", None),
            ("_HLS_msn=-1", None),
            ("_HLS_msn=+1", None),
            ("_HLS_msn=", None),
            ("_HLS_msn=1&_HLS_part=x", None),
            ("_HLS_msn=99999999999999999999", None),
        ] {
            assert_eq!(parsed(query), expected, "{query}");
        }
    }
}

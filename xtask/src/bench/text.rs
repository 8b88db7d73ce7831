//! Text that compresses about as English does.

use super::random::Random;

/// Just below the limit of `zmax`, 50000.
pub(super) const LENGTH: usize = 49_000;

/// Prime, so that any stride meets each paragraph once.
const PARAGRAPHS: usize = 1009;

/// Often used first: a word is chosen as the least of three numbers.
const WORDS: &str = "the of and to a in is it that was for on with as his they be at this have from or had by not word \
    but what some we can out other were all there when up use your how said an each she which do their time if will way \
    about many then them write would like so these her long make thing see him two has look more day could go come did \
    number sound no most people my over know water than call first who may down side been now find any new work part \
    take get place made live where after back little only round man year came show every good me give our under name \
    very through just form sentence great think say help low line differ turn cause much mean before move right boy old \
    too same tell does set three want air well also play small end put home read hand port large spell add even land \
    here must big high such follow act why ask men change went light kind off need house picture try us again animal \
    point mother world near build self earth father head stand own page should country found answer school grow study \
    still learn plant cover food sun four between state keep eye never last let thought city tree cross farm hard start \
    might story saw far sea draw left late run while press close night real life few north open seem together next \
    white children begin got walk example ease paper group always music those both mark often letter until mile river \
    car feet care second book carry took science eat room friend began idea fish mountain stop once base hear horse cut \
    sure watch colour face wood main enough plain girl usual young ready above ever red list though feel talk bird soon \
    body dog family direct pose leave song measure door product black short numeral class wind question happen complete \
    ship area half rock order fire south problem piece told knew pass since top whole king space heard best hour better \
    true during hundred five remember step early hold west ground interest reach fast verb sing listen six table travel \
    less morning ten simple several vowel toward war lay against pattern slow centre love person money serve appear \
    road map rain rule govern pull cold notice voice unit power town fine certain fly fall lead cry dark machine note \
    wait plan figure star box noun field rest correct able pound done beauty drive stood contain front teach week final \
    gave green quick develop ocean warm free minute strong special mind behind clear tail produce fact street inch café \
    naïve façade Zürich";

/// Many different texts from one set of paragraphs.
pub(super) struct Texts {
    paragraphs: Vec<String>,
}

impl Texts {
    pub(super) fn new() -> Self {
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        let mut random = Random::new(7);
        Self {
            paragraphs: (0..PARAGRAPHS)
                .map(|_| paragraph(&words, &mut random))
                .collect(),
        }
    }

    /// A text of `LENGTH` bytes. No paragraph is in it twice, and no other number has the same.
    pub(super) fn text(&self, number: usize) -> String {
        let stride = 1 + number / PARAGRAPHS % (PARAGRAPHS - 1);
        let mut text = String::with_capacity(LENGTH + 2000);
        let mut index = number % PARAGRAPHS;
        while text.len() < LENGTH {
            text.push_str(&self.paragraphs[index]);
            index = (index + stride) % PARAGRAPHS;
        }
        // What is cut off must leave whole letters.
        text.truncate(text.floor_char_boundary(LENGTH));
        while text.len() < LENGTH {
            text.push('\n');
        }
        text
    }
}

fn paragraph(words: &[&str], random: &mut Random) -> String {
    let mut paragraph = String::new();
    while paragraph.len() < 900 {
        for place in 0..6 + random.below(12) {
            let often = (0..3).map(|_| random.below(words.len())).min();
            let word = words[often.unwrap_or_default()];
            match place {
                0 => {
                    let (first, rest) = word.split_at(1);
                    paragraph.push_str(&first.to_uppercase());
                    paragraph.push_str(rest);
                }
                _ => {
                    paragraph.push_str(if random.below(12) == 0 { ", " } else { " " });
                    paragraph.push_str(word);
                }
            }
        }
        paragraph.push_str(". ");
    }
    paragraph.push_str("\n\n");
    paragraph
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_of_one_length_and_all_different() {
        let texts = Texts::new();
        let first = texts.text(0);
        assert_eq!(first.len(), LENGTH);
        for number in [1, PARAGRAPHS - 1, PARAGRAPHS, 4000] {
            let other = texts.text(number);
            assert_eq!(other.len(), LENGTH);
            assert_ne!(first, other);
        }
    }
}

//! Text that is searched and compared: lower case, without accents, words separated by one space.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// "Loos-en-Gohelle" → "loos en gohelle", "Œuf à l'été" → "oeuf a l ete".
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
    {
        match c {
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            c if c.is_alphanumeric() => folded.push(c),
            _ if folded.ends_with(' ') || folded.is_empty() => {}
            _ => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// A query for `to_tsquery('simple', …)` that finds names with words that begin with all of these words; nothing when
/// the text has no word.
pub fn prefix_query(text: &str) -> Option<String> {
    let folded = fold(text);
    (!folded.is_empty()).then(|| {
        folded
            .split(' ')
            .map(|word| format!("{word}:*"))
            .collect::<Vec<_>>()
            .join(" & ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_punctuation_fold() {
        assert_eq!(fold("Loos-en-Gohelle"), "loos en gohelle");
        assert_eq!(fold("  L'Haÿ-les-Roses "), "l hay les roses");
        assert_eq!(fold("ŒUF Straße №5"), "oeuf straße no5");
        assert_eq!(fold("!!!"), "");
    }

    #[test]
    fn a_query_of_prefixes_has_only_words_in_it() {
        assert_eq!(
            prefix_query("saint-é & | !(").as_deref(),
            Some("saint:* & e:*")
        );
        assert_eq!(prefix_query("--"), None);
    }
}

//! The script for bash.
//!
//! Bash splits words at `=` and `:` too, and replaces only the last part. So what could stand in the place of the whole
//! word is looked for, and the part before the last is taken off.

use crate::completions::{FLAGS, rows};
use crate::options::ROWS;
use crate::row::{Kind, Names, Row};
use crate::subcommand::SUBCOMMANDS;

const SCRIPT: &str = r#"# Completions of httpout for bash, printed by `httpout completions bash`.

# What can be the value of an option: words, or files.
_httpout_values() {
    case $1 in
@VALUES@
    esac
}

_httpout() {
    local last=${COMP_WORDS[COMP_CWORD]} line=${COMP_LINE:0:COMP_POINT}
    local previous=${COMP_WORDS[COMP_CWORD-1]} word option='' value candidates
    [[ $last == [=:]* ]] && last=''
    word=${line##*[[:space:]]}
    [[ $last == *[[:space:]]* ]] && word=$last

    if [[ $word == --*=* ]]; then
        option=${word%%=*} value=${word#*=}
    elif [[ $word == httpout:* ]]; then
        value=${word##*:}
        if [[ $value == *=* ]]; then
            option=${value%%=*} value=${value#*=}
        else
            candidates=$(compgen -W '@ARGUMENTS@' -- "$value")
        fi
    elif [[ $word == -* ]]; then
        value=$word
        candidates=$(compgen -W '@FLAGS@' -- "$value")
    elif [[ ${COMP_WORDS[1]-} == explain && $COMP_CWORD -eq 2 ]]; then
        value=$word
        candidates=$(compgen -W '@OPTIONS@' -- "$value")
    elif [[ ${COMP_WORDS[1]} == completions && $COMP_CWORD -eq 2 ]]; then
        value=$word
        candidates=$(compgen -W 'bash zsh fish' -- "$value")
    elif [[ $previous == --* && " @TAKING@ " == *" ${previous//-/_} "* ]]; then
        option=$previous value=$word
    else
        value=$word
        candidates=$(compgen -d -- "$value")
        compopt -o filenames
        if [[ $COMP_CWORD -eq 1 ]]; then
            candidates+=$'\n'$(compgen -W '@SUBCOMMANDS@' -- "$value")
        elif [[ ${COMP_WORDS[1]} == check && $COMP_CWORD -eq 2 ]]; then
            candidates+=$'\n'$(compgen -f -X '!*.toml' -- "$value")
        fi
    fi
    if [[ -n $option ]]; then
        option=${option#--}
        candidates=$(_httpout_values "${option//-/_}" "${value##*,}")
        [[ $candidates == */* || -e ${candidates%%$'\n'*} ]] && compopt -o filenames
        value=${value##*,}
    fi

    # Of what could be the whole word, bash wants what stands in the place of the last part.
    local before=${word%"$value"} kept=${word%"$last"} candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        [[ -n $candidate ]] || continue
        candidate=$before$candidate
        COMPREPLY+=("${candidate#"$kept"}")
    done <<< "$candidates"
    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
    return 0
}

complete -F _httpout httpout
"#;

pub(super) fn script() -> String {
    let arguments = rows().filter(|row| !row.is_of_the_line()).map(argument);
    let flags = rows().map(|row| format!("--{}", argument(row)));
    let flags = flags.chain(FLAGS.iter().map(|(name, _)| format!("--{name}")));
    let taking = rows().filter(|row| row.kind != Kind::Bool);
    // Dashes are underscores here, as in `previous`.
    let taking = taking.map(|row| format!("__{}", row.name));
    SCRIPT
        .replace("@VALUES@", &values())
        .replace("@ARGUMENTS@", &join(arguments))
        .replace("@FLAGS@", &join(flags))
        .replace(
            "@OPTIONS@",
            &join(ROWS.iter().map(|row| row.name.to_owned())),
        )
        .replace("@TAKING@", &join(taking))
        .replace(
            "@SUBCOMMANDS@",
            &join(SUBCOMMANDS.iter().map(|command| command.name.to_owned())),
        )
}

fn argument(row: &Row) -> String {
    match row.kind {
        Kind::Bool => row.name.to_owned(),
        _ => format!("{}=", row.name),
    }
}

/// The cases of options whose values can be told.
fn values() -> String {
    let with_choices = rows().filter(|row| !row.choices.is_empty()).map(|row| {
        let words = join(row.choices.iter().map(|choice| choice.name.to_owned()));
        format!("        {}) compgen -W '{words}' -- \"$2\" ;;", row.name)
    });
    let naming = |names: Names, flag: &str| {
        let of_kind = rows().filter(|row| row.names() == names);
        let names: Vec<_> = of_kind.map(|row| row.name).collect();
        format!("        {}) compgen {flag} -- \"$2\" ;;", names.join("|"))
    };
    let cases: Vec<_> = with_choices
        .chain([naming(Names::Directories, "-d"), naming(Names::Files, "-f")])
        .collect();
    cases.join("\n")
}

fn join(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

#compdef reconciler
# Completion of reconciler for zsh; written by `reconciler completion zsh`.
_reconciler() {
    local -a lines fields plain open
    local line
    lines=("${(@f)$(_RECONCILER_COMPLETE=zsh "$words[1]" "$words[1]" "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
    for line in $lines; do
        fields=("${(@ps:\t:)line}")
        case $fields[1] in
            plain) plain+=("$fields[2]${fields[3]:+:$fields[3]}") ;;
            open) open+=("$fields[2]") ;;
            file) _files ;;
            dir) _files -/ ;;
        esac
    done
    (( $#plain )) && _describe -V reconciler plain
    (( $#open )) && _describe -V reconciler open -S ''
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _reconciler "$@"
else
    compdef _reconciler reconciler
fi

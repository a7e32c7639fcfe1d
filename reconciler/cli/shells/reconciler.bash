# Completion of reconciler for bash 4.4 or later; written by `reconciler completion bash`.
_reconciler() {
    local kind value _ open=
    COMPREPLY=()
    while IFS=$'\t' read -r kind value _; do
        case $kind in
            plain) COMPREPLY+=("$value") ;;
            open) COMPREPLY+=("$value") open=yes ;;
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
        esac
    done < <(_RECONCILER_COMPLETE=bash "$1" "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    if [[ -n $open && ${#COMPREPLY[@]} -eq 1 ]]; then
        compopt -o nospace
    fi
}
complete -o nosort -F _reconciler reconciler

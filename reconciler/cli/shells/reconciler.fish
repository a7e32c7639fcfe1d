# Completion of reconciler for fish; written by `reconciler completion fish`.
function __reconciler_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (env _RECONCILER_COMPLETE=fish $words[1] $words "$current" 2>/dev/null)
        set -l fields (string split \t -- $line)
        switch $fields[1]
            case plain open
                printf '%s\t%s\n' $fields[2] $fields[3]
            case file
                __fish_complete_path "$current"
            case dir
                __fish_complete_directories "$current"
        end
    end
end
complete --command reconciler --no-files --arguments '(__reconciler_complete)'

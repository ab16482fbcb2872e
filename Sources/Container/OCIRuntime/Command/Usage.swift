import OCI

/// What `--help` and `--version` say.
enum Usage {
    /// Docker and Podman read the first line.
    static let version = "forkless-oci version \(RuntimeProgram.version)\nspec: \(RuntimeSpec.version)"

    static let text = """
        forkless-oci runs containers by the Open Container Initiative's runtime specification \(RuntimeSpec.version).

        usage: forkless-oci [global options] command [options] [arguments]

        commands:
          create   [--bundle DIR] [--console-socket PATH] [--pid-file PATH] [--no-pivot] [--no-new-keyring]
                   [--preserve-fds N] ID                   make a container, whose program waits for start
          start    ID                                      start the program of a created container
          run      [as create] [--detach] [--keep] ID      create and start, and wait for the end
          exec     [--tty] [--user UID[:GID]] [--cwd DIR] [--env NAME=VALUE] [--cap CAP] [--detach] [--process FILE]
                   [--console-socket PATH] [--pid-file PATH] [--additional-gids GID] [--no-new-privs]
                   [--apparmor PROFILE] [--process-label LABEL] [--preserve-fds N] [--ignore-paused]
                   ID [PROGRAM [ARGUMENT...]]              run another program in a container
          state    ID                                      print a container's state as JSON
          kill     [--all] ID [SIGNAL]                     send a signal (SIGTERM)
          delete   [--force] ID                            delete a stopped container; with --force any
          list     [--format table|json] [--quiet]         list the containers
          ps       [--format table|json] ID [ps options]   list the processes of a container
          events   [--stats] [--interval 5s] ID            print what a container uses as JSON
          pause    ID                                      freeze a container
          resume   ID                                      let it go on
          update   [--resources FILE] [--memory ...] ID    change a container's limits
          spec     [--bundle DIR] [--rootless]             write a config.json to begin with
          features                                         print what this runtime knows as JSON

        global options:
          --root DIR             where the state of containers is kept (/run/forkless-oci)
          --log FILE             where errors are written, beside standard error
          --log-format FORMAT    text or json
          --debug                log more
          --systemd-cgroup       let systemd make the cgroups; linux.cgroupsPath is "SLICE:PREFIX:NAME" then
          --rootless WORD        true, false or auto: whether a container without limits may lack a cgroup of its own
          --version, --help
        """
}

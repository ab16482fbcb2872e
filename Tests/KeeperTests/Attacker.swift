/// A hostile program of a sandbox.
enum Attacker {
    /// Looks at every process that appears and tries to get hold of it until its input ends: of its memory, its
    /// descriptors, its executable and its root. Prints what it got of a process that was not yet the program.
    static let program = """
        $| = 1; print "up\\n"; fcntl(STDIN, 4, 2048); my ($tried, %got) = (0);
        while (1) {
          my $n = sysread(STDIN, my $b, 1); last if defined $n && $n == 0;
          opendir(D, "/proc"); my @p = grep { /^\\d+$/ && $_ > 1 && $_ != $$ } readdir D; closedir D;
          for my $p (@p) {
            $tried++;
            my $exe = readlink("/proc/$p/exe");
            if (defined $exe && $exe =~ /keeper/) { $got{"exe of the keeper"}++ }
            if (open(my $f, "+<", "/proc/$p/exe")) { $got{"writable exe"}++ }
            if (open(my $m, "+<", "/proc/$p/mem")) {
              # Ours is the program's memory only: is it that of the newcomer before its exec?
              if (open(my $s, "<", "/proc/$p/maps")) { while (<$s>) { $got{"memory of the keeper"}++ if /keeper/ } }
            }
            if (open(my $s, "<", "/proc/$p/maps")) { while (<$s>) { $got{"maps of the keeper"}++ if /keeper/ } }
            if (opendir(my $d, "/proc/$p/fd")) {
              for my $n (readdir $d) {
                my $l = readlink("/proc/$p/fd/$n"); next if !defined $l || $n <= 2;
                $got{"descriptor $n: $l"}++ if $l !~ m{^/(usr|lib|etc|proc|dev/null)} && $l !~ /^pipe:/;
              }
            }
            if (defined(my $r = readlink("/proc/$p/cwd"))) { $got{"directory $r"}++ if $r ne "/" }
          }
        }
        print "tried $tried\\n"; print "$_\\n" for sort keys %got;
        """
}

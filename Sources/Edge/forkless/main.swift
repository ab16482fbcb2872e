import CommandLine

ForklessEntry.main()

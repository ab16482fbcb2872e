import CommandLine

await ForklessEntry.main()

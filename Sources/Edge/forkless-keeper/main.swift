import Glibc
import Keeper

exit(KeeperProgram.main(Array(CommandLine.arguments.dropFirst())))

import Glibc
import Keeper

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.first == InitProgram.flag {
    exit(InitProgram.main(Array(arguments.dropFirst())))
}
exit(KeeperProgram.main(arguments))

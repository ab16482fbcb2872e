import Linux
import TestKit
import Testing

@testable import Planning

@Suite struct ProgramFileTests {
    @Test func `a dynamic program names its loader and libraries`() throws {
        let elf = try ELFFile(try Files.read("/bin/ls"))
        #expect(elf.fileClass == .bits64 && elf.isDynamic && !elf.isStatic)
        #expect(elf.interpreter?.contains("ld-linux") == true)
        #expect(elf.needed.contains("libc.so.6"))
    }

    @Test func `an ELF file cut off or changed anywhere is an error or is read, and never a trap`() throws {
        let bytes = try Files.read("/bin/true")
        var chance = SeededChance(seed: 3)
        for count in stride(from: 0, to: 2048, by: 3) { _ = try? ELFFile(Array(bytes.prefix(count))) }
        for _ in 0..<4000 {
            var changed = bytes
            for _ in 0..<4 {
                changed[Int.random(in: 4..<1200, using: &chance)] = UInt8.random(in: .min ... .max, using: &chance)
            }
            _ = try? ELFFile(changed)
        }
    }

    @Test(arguments: [
        ("#!/bin/sh\nexit", ProgramFile.Form.script(interpreter: "/bin/sh", argument: nil)),
        ("#! /usr/bin/env python3 \n", .script(interpreter: "/usr/bin/env", argument: "python3")),
        ("#!/usr/bin/awk -f -v\r\n", .script(interpreter: "/usr/bin/awk", argument: "-f -v")),
        ("#!python\n", .other("a script whose #! line names no program by its path")),
        ("hello", .other("neither an ELF program nor a script with #!")),
        ("", .other("neither an ELF program nor a script with #!")),
        ("\u{7F}ELF", .other("a damaged program: it ends in its ELF header")),
    ])
    func `scripts and what is none are told apart`(_ text: String, _ form: ProgramFile.Form) {
        #expect(ProgramFile.form(Array(text.utf8)) == form)
    }

    @Test func `a 32-bit program is known, and blocked from sandboxes`() throws {
        // An ELF header of a 32-bit i386 program without segments.
        var bytes = [UInt8](repeating: 0, count: 52)
        bytes.replaceSubrange(0..<7, with: [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1])
        bytes[18] = 3
        let elf = try ELFFile(bytes)
        #expect(elf.fileClass == .bits32 && elf.machine == "i386" && elf.isStatic)
        let plan = Examples.plan(Examples.program(), file: .found(.init(form: .elf(elf))))
        #expect(plan.recommended == .process)
        #expect(plan.blockers(of: .container)[0].sentence.contains("32-bit"))
    }

    @Test func `setuid bits and names with newlines are seen`() throws {
        let directory = try TemporaryDirectory("programs")
        let path = try directory.write("#!/bin/sh\n", to: "a\nb", mode: 0o755)
        try Files.setPermissions(path, 0o4755)
        let facts = try #require(ProgramFile.look(at: path).facts)
        #expect(facts.isSetuid && !facts.isSetgid)
        #expect(ProgramFile.look(at: directory.path("none")) != Examples.native)
        guard case .gone(let why) = ProgramFile.look(at: directory.path("none")) else { return #expect(Bool(false)) }
        #expect(why.contains("No such file"))
        guard case .gone = ProgramFile.look(at: directory.path) else { return #expect(Bool(false)) }
    }
}

import Engine
import Linux

/// What the word after the flags of `run` and `create` means: an image, or a program of this machine.
///
/// `alpine:3`, `team/app` and `app@sha256:...` are images; `/bin/ls` and `./tool` are programs, and so is every word with
/// --root, --overlay or a rung that has no image. A bare word is what there is of its name; an image to be pulled when
/// there is neither. (tests in LaunchWordTests)
enum LaunchWord: Hashable {
    case program
    case image
    /// It depends on what there is.
    case bare

    init(_ word: String, place: PlaceFlags, rung: Rung, image: ImageFlags) throws(FlagError) {
        let flag = place.root != nil ? "--root" : place.overlay != nil ? "--overlay" : rung != .container ? "--rung" : nil
        if let flag {
            if let given = image.given {
                throw FlagError(given, nil, "it is for images, and \(flag) is for programs", advice: "Leave one out.")
            }
            self = .program
        } else if image.given != nil {
            self = .image
        } else if ["/", "./", "../"].contains(where: word.hasPrefix) {
            self = .program
        } else {
            self = word.contains { ":@/".contains($0) } ? .image : .bare
        }
    }

    /// What a bare word is, given what there is of its name.
    static func choose(_ word: String, isImage: Bool, isProgram: Bool) throws(CommandFailure) -> LaunchWord {
        switch (isImage, isProgram) {
        case (true, true):
            throw CommandFailure(
                "\"\(word)\" is an image here and a program of this machine: write \(word):latest for the image, "
                    + "--root host \(word) for the program",
                status: ExitCodes.ownFailure)
        case (false, true): return .program
        case (_, false): return .image
        }
    }

    /// Whether a program of this name is on the PATH that programs of the host root have.
    static func isProgram(_ word: String, environment: [String]) -> Bool {
        DefaultEnvironment.searchPath(environment).split(separator: ":").contains { directory in
            directory.hasPrefix("/") && Files.isExecutableFile("\(directory)/\(word)")
        }
    }
}

extension ContainerSpec {
    /// A spec whose program turns out to be an image, with the command behind it.
    mutating func takeImage(entrypoint: String?) {
        image = ContainerImage(program)
        program = arguments.first ?? ""
        arguments = Array(arguments.dropFirst())
        self.entrypoint = entrypoint.map { $0.isEmpty ? [] : [$0] }
    }
}

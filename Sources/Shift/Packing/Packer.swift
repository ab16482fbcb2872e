import Images
import Linux
package import OCI
import Observation

/// Packs a program of this machine: finds what it needs, and writes the layers. On a thread of its own.
package enum Packer {
    /// What was made, and what is worth knowing of it.
    package struct Result: Sendable {
        package var image: PackedImage
        package var program: PackedProgram
        package var needs: PackNeeds
    }

    /// - Parameter directory: an empty one of the caller's, in which the layers are kept until the image was written.
    package static func pack(
        _ request: PackRequest, as program: PackedProgram, name: Reference?, directory: String,
        progress: @escaping @Sendable (String) -> Void
    ) async throws(PackFailure) -> Result {
        // Images' thread for what takes seconds speaks of images' failures only: the result is carried out of it.
        let outcome: Swift.Result<Result, PackFailure>
        do throws(ImageFailure) {
            outcome = try await Blocking.runLong { () throws(ImageFailure) in
                Swift.Result { () throws(PackFailure) in
                    try packBlocking(request, as: program, name: name, directory: directory, progress)
                }
            }
        } catch { throw PackFailure("\(error)") }
        return try outcome.get()
    }

    private static func packBlocking(
        _ request: PackRequest, as program: PackedProgram, name: Reference?, directory: String,
        _ progress: (String) -> Void
    ) throws(PackFailure) -> Result {
        let tree = MachineTree()
        progress("reading the package database")
        let database = try DebianDatabase(tree)
        progress("finding what \(request.program) needs")
        let needs = try NeedsReader(tree, database).needs(of: request)
        let plan = try PackPlan(needs, database, tree)
        var program = program
        program.packages = plan.packages
        program.exactFiles = plan.exactFiles
        program.exactLinks = plan.layers.last?.links ?? [:]
        program.state = Set(needs.state).sorted()
        let image = try PackedImage.make(
            plan, program.defaults, platform: .ofThisMachine, name: name, directory: directory, progress: progress)
        return Result(image: image, program: program, needs: needs)
    }
}

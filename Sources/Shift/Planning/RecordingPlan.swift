import Comparison
package import Observation

/// The plan of a whole recording: each program's, those first where most is gained.
package struct RecordingPlan: Hashable, Sendable {
    package var header: RecordingHeader
    package var durationNanoseconds: Int
    /// What the observer knows that it missed; nil: the recording is cut off.
    package var losses: RecordingLosses?
    package var calibration: Calibration
    package var programs: [ProgramPlan]

    /// - Parameter file: what a program's file is; asked once for each.
    package init(_ recording: Recording, _ calibration: Calibration, file: (RecordedProgram.Identity) -> ProgramFile) {
        header = recording.header
        durationNanoseconds = recording.durationNanoseconds
        losses = recording.ending?.losses
        self.calibration = calibration
        let planner = Planner(calibration)
        programs = recording.programs.filter { $0.calls > 0 }.map { program in
            let origins = program.origins.keys.sorted().compactMap { position in
                recording.origins.indices.contains(position) ? recording.origins[position] : nil
            }
            return planner.plan(program, file: file(program.identity), origins: origins)
        }
        programs.sort { Self.order($0) < Self.order($1) }
    }

    private static func order(_ plan: ProgramPlan) -> (Double, Int, String) {
        (-(plan.savedShare ?? -.greatestFiniteMagnitude), -plan.program.calls, plan.program.identity.text)
    }

    /// What is to be known before any of it is believed.
    package var caveats: [String] {
        var caveats: [String] = []
        switch losses {
        case nil:
            caveats.append("The recording is cut off: what came after its last whole line is not in these numbers.")
        case let losses? where losses.eventOverruns + losses.accountingOverruns > 0:
            caveats.append(
                "The observer lost events \(losses.eventOverruns + losses.accountingOverruns) times: real rates are higher."
            )
        default: break
        }
        if header.machine != calibration.machine.name {
            caveats.append(
                "It was recorded on \(header.machine) and the calibration is of \(calibration.machine.name): predictions add times of two machines."
            )
        }
        if case .unavailable(let why) = calibration.container {
            caveats.append("Containers and functions have no prediction, because they were not measured: \(why).")
        }
        return caveats
    }
}

/// What a page can ask the node to do.
///
/// Each is asked twice: a page says what will happen, and its button does it.
package enum DashboardAction: Hashable, Sendable {
    case startContainer(String)
    case stopContainer(String)
    case restartContainer(String)
    case removeContainer(String)
    case rollBackShift(String)
    case pauseShift(String)
    case resumeShift(String)
    /// Copies that wait for calls; 0: none. nil: a person is still to say how many.
    case provision(function: String, qualifier: String, copies: Int?)
    case deleteFunction(String)
    case removeImage(String)
    case verifyLedger

    /// What comes in an address or a form; nil for what is no action.
    package init?(_ fields: [String: String]) {
        let id = fields["id"] ?? ""
        guard id.utf8.count <= 8192, !id.isEmpty || fields["do"] == "verify" else { return nil }
        switch fields["do"] {
        case "start": self = .startContainer(id)
        case "stop": self = .stopContainer(id)
        case "restart": self = .restartContainer(id)
        case "remove": self = .removeContainer(id)
        case "rollback": self = .rollBackShift(id)
        case "pause": self = .pauseShift(id)
        case "resume": self = .resumeShift(id)
        case "provision":
            guard let qualifier = fields["qualifier"], !qualifier.isEmpty else { return nil }
            let text = fields["copies"]
            let copies = text.flatMap { Int($0) }
            if text != nil, copies.map({ (0...10_000).contains($0) }) != true { return nil }
            self = .provision(function: id, qualifier: qualifier, copies: copies)
        case "delete-function": self = .deleteFunction(id)
        case "remove-image": self = .removeImage(id)
        case "verify": self = .verifyLedger
        default: return nil
        }
    }

    /// What `init` reads.
    package var fields: [(String, String?)] {
        switch self {
        case .startContainer(let id): [("do", "start"), ("id", id)]
        case .stopContainer(let id): [("do", "stop"), ("id", id)]
        case .restartContainer(let id): [("do", "restart"), ("id", id)]
        case .removeContainer(let id): [("do", "remove"), ("id", id)]
        case .rollBackShift(let id): [("do", "rollback"), ("id", id)]
        case .pauseShift(let id): [("do", "pause"), ("id", id)]
        case .resumeShift(let id): [("do", "resume"), ("id", id)]
        case .provision(let name, let qualifier, let copies):
            [("do", "provision"), ("id", name), ("qualifier", qualifier), ("copies", copies.map { "\($0)" })]
        case .deleteFunction(let name): [("do", "delete-function"), ("id", name)]
        case .removeImage(let id): [("do", "remove-image"), ("id", id)]
        case .verifyLedger: [("do", "verify")]
        }
    }

    /// What its button says.
    package var title: String {
        switch self {
        case .startContainer: "Start"
        case .stopContainer: "Stop"
        case .restartContainer: "Restart"
        case .removeContainer: "Remove"
        case .rollBackShift: "Roll back"
        case .pauseShift: "Pause"
        case .resumeShift: "Resume"
        case .provision: "Provision"
        case .deleteFunction: "Delete"
        case .removeImage: "Remove"
        case .verifyLedger: "Verify now"
        }
    }

    /// Whom it concerns.
    package var subject: String {
        switch self {
        case .startContainer(let id), .stopContainer(let id), .restartContainer(let id), .removeContainer(let id): "container \(id)"
        case .rollBackShift(let id), .pauseShift(let id), .resumeShift(let id): "shift \(id)"
        case .provision(let name, let qualifier, _): "function \(name), \(qualifier)"
        case .deleteFunction(let name): "function \(name)"
        case .removeImage(let id): "image \(id)"
        case .verifyLedger: "the ledger"
        }
    }

    /// What will happen, for who is asked whether it should.
    package var consequence: String {
        switch self {
        case .startContainer: "Its program is started."
        case .stopContainer:
            "Its program is asked to end by its stop signal (SIGTERM unless it names another) and killed when it has not ended in time."
        case .restartContainer: "Its program is stopped as by Stop, then started again."
        case .removeContainer: "The container, the files that only it has, and its log are deleted. This cannot be undone."
        case .rollBackShift: "From now on the original program answers every call, and the shim is taken away. Calls that run end where they are."
        case .pauseShift: "From now on the original answers every call; the shim stays, and the shift can be resumed."
        case .resumeShift: "Calls are shifted again, as far as the stage says."
        case .provision(_, _, let copies):
            switch copies {
            case nil: "So many copies are kept initialised and wait for calls. They take memory, and have a price, whether they are called or not."
            case 0: "No copies are kept ready any more: calls start one when none is warm."
            case .some(let copies): "\(copies) \(copies == 1 ? "copy is" : "copies are") kept initialised and wait for calls. They take memory, and have a price, whether they are called or not."
            }
        case .deleteFunction: "The function with all its versions, aliases and settings is deleted. Its records in the ledger stay. This cannot be undone."
        case .removeImage: "The image's names are removed, and its layers as far as no other image has them."
        case .verifyLedger: "Every record is read and its hash computed anew. Nothing is changed."
        }
    }

    /// Whether it takes away what cannot be had back.
    package var isDestructive: Bool {
        switch self {
        case .removeContainer, .deleteFunction, .removeImage: true
        default: false
        }
    }

    /// Where a person goes on afterwards.
    package var returnsTo: Place {
        switch self {
        case .startContainer(let id), .stopContainer(let id), .restartContainer(let id): Place(["workloads", "container", id])
        case .removeContainer: Place(["workloads"])
        case .rollBackShift(let id), .pauseShift(let id), .resumeShift(let id): Place(["shifts", id])
        case .provision, .deleteFunction: Place(["functions"])
        case .removeImage: Place(["images"])
        case .verifyLedger: Place(["ledger"])
        }
    }
}

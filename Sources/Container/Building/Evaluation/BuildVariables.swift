/// The variables that an instruction sees: ARGs of its stage, and over them the environment of the image.
///
/// Invariants
/// 1. ENV hides an ARG of the same name, whichever came later. (test: `ENV hides an ARG, whichever comes later`)
/// 2. An ARG is seen from its line on, in its stage only. (test: `an ARG is seen from its line on`)
struct BuildVariables: Hashable, Sendable {
    /// "NAME=VALUE", each name once.
    private(set) var environment: [String]
    /// In the order in which the names came first.
    private(set) var arguments: [NamedValue] = []

    init(environment: [String] = []) {
        self.environment = []
        for variable in environment {
            // Entries without "=" name no value and stay for whoever wrote them.
            guard let separator = variable.firstIndex(of: "=") else {
                self.environment.append(variable)
                continue
            }
            set(String(variable[..<separator]), String(variable[variable.index(after: separator)...]))
        }
    }

    /// Sets a variable of the image, in the place of an earlier one of its name.
    mutating func set(_ name: String, _ value: String) {
        let variable = "\(name)=\(value)"
        if let place = environment.firstIndex(where: { $0.hasPrefix(name + "=") }) {
            environment[place] = variable
        } else {
            environment.append(variable)
        }
    }

    /// Declares an ARG with its value; a later one of the same name counts.
    mutating func declare(_ name: String, _ value: String) {
        if let place = arguments.firstIndex(where: { $0.name == name }) {
            arguments[place].value = value
        } else {
            arguments.append(NamedValue(name: name, value: value))
        }
    }

    /// What `$NAME` stands for; nil: it is not set.
    func value(of name: String) -> String? {
        if let variable = environment.last(where: { $0.hasPrefix(name + "=") }) {
            return String(variable.dropFirst(name.count + 1))
        }
        return arguments.last { $0.name == name }?.value
    }

    /// The ARGs that no variable of the image hides.
    var visibleArguments: [NamedValue] {
        arguments.filter { argument in !environment.contains { $0.hasPrefix(argument.name + "=") } }
    }
}

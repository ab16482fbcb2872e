import Linux
package import OCI
package import Sandbox

extension SeccompProfile {
    /// What the specification's profile means. Where its own text is silent, libseccomp as other runtimes use it
    /// decides: a rule with the default action is no rule, several conditions on one argument are alternatives, and foreign
    /// programs are killed.
    package init(_ spec: SeccompSpec) {
        let byDefault = SeccompAction(spec.defaultAction, errno: spec.defaultErrno)
        self.init(defaultAction: byDefault)
        foreignAction = .killThread
        x32Action = .killThread
        switch byDefault {
        case .allow, .log, .trace, .notify: break
        case .errno, .trap, .killThread, .killProcess: unnamedAction = .errno(.notImplemented)
        }
        for rule in spec.rules {
            let action = SeccompAction(rule.action, errno: rule.errno)
            guard action != byDefault else { continue }
            let conditions = rule.conditions.map(ArgumentCondition.init)
            let isAlternatives = Set(conditions.map(\.index)).count < conditions.count
            for conditions in isAlternatives ? conditions.map({ [$0] }) : [conditions] {
                rules.append(SeccompRule(rule.names, action, when: conditions))
            }
        }
    }
}

extension SeccompAction {
    /// - Parameter errno: nil is EPERM.
    fileprivate init(_ action: SeccompSpec.Action, errno: UInt64?) {
        let errno = errno ?? 1
        self =
            switch action {
            case .kill, .killThread: .killThread
            case .killProcess: .killProcess
            case .trap: .trap
            case .errno: .errno(Errno(CInt(truncatingIfNeeded: errno)))
            case .trace: .trace(UInt16(truncatingIfNeeded: errno))
            case .allow: .allow
            case .log: .log
            case .notify: .notify
            }
    }
}

extension ArgumentCondition {
    fileprivate init(_ condition: SeccompSpec.Condition) {
        let value = condition.value
        let comparison: Comparison =
            switch condition.operator {
            case .notEqual: .notEqual(value)
            case .below: .less(value)
            case .atMost: .lessOrEqual(value)
            case .equal: .equal(value)
            case .atLeast: .greaterOrEqual(value)
            case .above: .greater(value)
            case .maskedEqual: .maskedEqual(mask: value, condition.valueTwo)
            }
        self.init(condition.index, comparison)
    }
}

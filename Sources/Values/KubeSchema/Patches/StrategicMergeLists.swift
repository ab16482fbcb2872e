import JSON

extension StrategicMergePatch {
    func mergeList(
        _ original: [JSONValue], _ patch: [JSONValue], _ field: FieldPlace
    ) throws(PatchError) -> [JSONValue] {
        guard let key = field.patch.mergeKey else { return mergeScalars(original, patch) }
        var (result, changes) = (original, [JSONObject]())
        var (replaces, deleted) = (false, Set<JSONValue>())
        for element in patch {
            guard case .object(let change) = element else {
                throw PatchError(.unprocessable, "expected a map, but received a \(ObjectDecoder.goName(element))")
            }
            guard let directive = change[Self.directive] else {
                changes.append(change)
                continue
            }
            switch directive {
            case "delete":
                deleted.insert(try Self.keyValue(change, key))
            case "replace": replaces = true
            case "merge": throw PatchError(.unprocessable, "merging lists cannot yet be specified in the patch")
            default:
                throw PatchError(
                    .unprocessable,
                    "unknown patch type: \(directive.string ?? JSONWriter.text(directive)) in map: \(JSONWriter.text(element))"
                )
            }
        }
        if replaces { return changes.compactMap { Self.clean(.object($0)) } }
        if !deleted.isEmpty { result.removeAll { $0[key].map(deleted.contains) ?? false } }
        var known = places(result, key)
        for change in changes {
            let value = try Self.keyValue(change, key)
            if let index = known[value] {
                result[index] = .object(try merge(result[index].object ?? [:], change, field.element))
            } else if let new = Self.clean(.object(change)) {
                known[value] = result.count
                result.append(new)
            }
        }
        return ordered(result, by: patch, before: original, key: key)
    }

    private func mergeScalars(_ original: [JSONValue], _ patch: [JSONValue]) -> [JSONValue] {
        var seen: Set<JSONValue> = []
        let all = (original + patch).filter { seen.insert($0).inserted }
        return ordered(all, by: patch, before: original, key: nil)
    }

    private static func keyValue(_ element: JSONObject, _ key: String) throws(PatchError) -> JSONValue {
        guard let value = element[key] else {
            throw PatchError(
                .unprocessable,
                "map: \(JSONWriter.text(.object(element))) does not contain declared merge key: \(key)")
        }
        return value
    }

    /// Takes values out of a list of scalars.
    func deleteValues(_ name: String, _ values: JSONValue, _ result: inout JSONObject) throws(PatchError) {
        guard let values = values.array else { throw PatchError(.badRequest, "invalid patch format of primitive list") }
        guard let list = result[name]?.array else { return }
        let gone = Set(values)
        result[name] = .array(list.filter { !gone.contains($0) })
    }

    // MARK: Order

    /// Merges the lists that the patch gives an order, and takes them out of the patch.
    func order(_ result: inout JSONObject, _ patch: inout JSONObject, _ type: FieldType?) throws(PatchError) {
        for (directive, value) in patch.members.map({ ($0.key, $0.value) }) where directive.hasPrefix(Self.elementOrder)
        {
            patch[directive] = nil
            let name = String(directive.dropFirst(Self.elementOrder.utf8.count))
            let wrong = PatchError(.badRequest, "invalid patch format of setElementOrder list")
            guard let order = value.array else { throw wrong }
            let field = field(name, of: type)
            guard patch[name] == nil || patch[name]?.array != nil else { throw wrong }
            try checkOrder(patch[name]?.array ?? [], order, field.patch.mergeKey)
            let before = result[name]?.array ?? []
            guard var merged = result[name]?.array ?? patch[name]?.array else { continue }
            if result[name]?.array != nil, let changes = patch[name]?.array {
                merged = field.patch.merges ? try mergeList(before, changes, field) : changes
            }
            merged = merged.compactMap(Self.clean)
            result[name] = .array(ordered(merged, by: order, before: before, key: field.patch.mergeKey))
            patch[name] = nil
        }
    }

    /// The elements of the patch must stand in the order that it asks for.
    private func checkOrder(_ patch: [JSONValue], _ order: [JSONValue], _ key: String?) throws(PatchError) {
        let kept = patch.filter { $0[Self.directive] == nil }
        guard !order.isEmpty, !kept.isEmpty else { return }
        var rest = order[...]
        for element in kept {
            guard let index = rest.firstIndex(where: { same($0, element, key) }) else {
                throw PatchError(
                    .unprocessable,
                    "The order in patch list:\n\(JSONWriter.text(.array(patch)))\n doesn't match $setElementOrder list:\n"
                        + "\(JSONWriter.text(.array(order)))\n")
            }
            rest = rest[(index + 1)...]
        }
    }

    private func same(_ a: JSONValue, _ b: JSONValue, _ key: String?) -> Bool {
        guard let key else { return a == b }
        return a[key] != nil && a[key] == b[key]
    }

    /// Elements that the patch names stand in its order, the others in the order that they had; between the two, what
    /// stood before stays before.
    private func ordered(_ list: [JSONValue], by order: [JSONValue], before: [JSONValue], key: String?) -> [JSONValue] {
        let (wanted, had) = (places(order, key), places(before, key))
        func place(_ element: JSONValue, _ places: [JSONValue: Int]) -> Int? {
            (key == nil ? element : element[key!]).flatMap { places[$0] }
        }
        let patched = sorted(list.filter { place($0, wanted) != nil }) { place($0, wanted) }
        let others = sorted(list.filter { place($0, wanted) == nil }) { place($0, had) }
        var (result, i, j) = ([JSONValue](), 0, 0)
        while i < others.count || j < patched.count {
            let takesOther: Bool
            if j == patched.count {
                takesOther = true
            } else if i < others.count, let left = place(others[i], had), let right = place(patched[j], had) {
                takesOther = left < right
            } else {
                takesOther = false
            }
            if takesOther { result.append(others[i]) } else { result.append(patched[j]) }
            if takesOther { i += 1 } else { j += 1 }
        }
        return result
    }

    private func places(_ list: [JSONValue], _ key: String?) -> [JSONValue: Int] {
        let keyed = list.enumerated().compactMap { index, element in
            (key == nil ? element : element[key!]).map { ($0, index) }
        }
        return Dictionary(keyed, uniquingKeysWith: { first, _ in first })
    }

    private func sorted(_ list: [JSONValue], _ place: (JSONValue) -> Int?) -> [JSONValue] {
        list.enumerated().map { (offset: $0, place: place($1) ?? Int.max, value: $1) }
            .sorted { ($0.place, $0.offset) < ($1.place, $1.offset) }.map(\.value)
    }
}

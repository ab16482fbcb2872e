/// Lines through points on a canvas, as the path data of SVG (https://www.w3.org/TR/SVG2/paths.html).
enum PlotPath {
    struct Place: Hashable, Sendable {
        var x: Double
        var y: Double

        var text: String { DecimalText.coordinate(x) + " " + DecimalText.coordinate(y) }
    }

    /// The pieces of a line; a point alone is a piece of length zero, which round line ends show as a dot.
    static func data(_ pieces: [[Place]], steps: Bool) -> String {
        pieces.filter { !$0.isEmpty }.map { piece in
            var text = "M" + piece[0].text
            if piece.count == 1 { return text + "h0" }
            for (before, place) in zip(piece, piece.dropFirst()) {
                text +=
                    steps
                    ? "H" + DecimalText.coordinate(place.x) + "V" + DecimalText.coordinate(place.y) : "L" + place.text
                _ = before
            }
            return text
        }.joined()
    }

    /// A line with fewer points that looks the same: of all points in a column of pixels the first, the least, the largest
    /// and the last (the M4 aggregation of Jugel et al., VLDB 2014).
    static func thinned(_ places: [Place]) -> [Place] {
        guard places.count > 4 else { return places }
        var result: [Place] = []
        var begin = 0
        while begin < places.count {
            let column = places[begin].x.rounded(.down)
            var end = begin + 1
            while end < places.count, places[end].x.rounded(.down) == column { end += 1 }
            let indices = begin..<end
            let kept = [
                begin, indices.min { places[$0].y < places[$1].y } ?? begin,
                indices.max { places[$0].y < places[$1].y } ?? begin, end - 1,
            ]
            result += Set(kept).sorted().map { places[$0] }
            begin = end
        }
        return result
    }

    /// The mark of a series, about 7 pixels large: another shape for each of six, so that colour alone tells nothing.
    static func mark(_ series: Int, at place: Place) -> String {
        let at = "M" + place.text
        switch series % 6 {
        case 0: return at + "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z"
        case 1: return at + "m-3 -3h6v6h-6z"
        case 2: return at + "m0-4l4 7h-8z"
        case 3: return at + "m0-4.5l4 4.5l-4 4.5l-4-4.5z"
        case 4: return at + "m0 4l4-7h-8z"
        default: return at + "m-1.5-4h3v2.5h2.5v3h-2.5v2.5h-3v-2.5h-2.5v-3h2.5z"
        }
    }

    static func ring(at place: Place) -> String {
        "M" + place.text + "m-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0z"
    }
}

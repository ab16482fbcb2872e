import Comparison
import Engine
import Linux
import OCI

/// `images`: names of images as rows.
struct ImageListing {
    var images: [ImageSummary]
    var now: Timestamp
    var showsDigests = false
    /// Whole ids.
    var isWhole = false

    static let none = "<none>"

    var listing: Listing {
        var columns: [TextTable.Column] = [.init("REPOSITORY"), .init("TAG")]
        if showsDigests { columns.append(.init("DIGEST")) }
        columns += [.init("IMAGE ID"), .init("CREATED"), .init("SIZE")]
        return Listing(columns: columns, rows: images.flatMap(rows))
    }

    private func rows(_ image: ImageSummary) -> [[String]] {
        let names = image.names.isEmpty ? [nil] : image.names.map(Optional.init)
        return names.map { name in
            var row = [name?.repository ?? Self.none, name?.tag ?? Self.none]
            if showsDigests { row.append((name?.digest ?? image.digest).description) }
            return row + [
                isWhole ? image.id.description : image.id.short, Self.age(image.created, now), DecimalSize.text(image.size),
            ]
        }
    }

    /// "2 weeks ago", from the RFC 3339 of a config.
    static func age(_ created: String?, _ now: Timestamp) -> String {
        guard let created, let time = Timestamp(created) else { return "N/A" }
        return HumanTime.ago(seconds: now.seconds(since: time))
    }
}

/// `history`: the steps of an image as rows.
struct HistoryListing {
    var steps: ImageSteps
    var now: Timestamp
    var isWhole = false

    private static let commandLength = 45

    var listing: Listing {
        Listing(
            columns: [.init("IMAGE"), .init("CREATED"), .init("CREATED BY"), .init("SIZE"), .init("COMMENT")],
            rows: steps.steps.enumerated().map { index, step in
                let command = step.createdBy ?? ""
                return [
                    index > 0 ? "<missing>" : isWhole ? steps.id.description : steps.id.short,
                    ImageListing.age(step.created, now),
                    isWhole ? command : Shortened.text(command, to: Self.commandLength), DecimalSize.text(step.size),
                    step.comment ?? "",
                ]
            })
    }
}

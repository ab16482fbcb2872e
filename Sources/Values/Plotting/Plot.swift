/// A plot of one or several series over two axes. Values only: `PlotSVG` draws it.
package struct Plot: Hashable, Sendable {
    /// What it is about, in a few words: read out, and shown by whoever shows the plot.
    package var title: String
    /// What there is to see, in sentences, for those who cannot see it.
    package var summary: String
    package var x: PlotAxis
    package var y: PlotAxis
    package var series: [PlotSeries]
    /// What a ring around a point means; nil when there is none.
    package var ringMeaning: String?

    package init(
        title: String, summary: String, x: PlotAxis, y: PlotAxis, series: [PlotSeries], ringMeaning: String? = nil
    ) {
        self.title = title
        self.summary = summary
        self.x = x
        self.y = y
        self.series = series
        self.ringMeaning = ringMeaning
    }
}

package struct PlotAxis: Hashable, Sendable {
    /// What it measures, with what has to be known to read it: "latency, logarithmic".
    package var title: String
    package var quantity: PlotQuantity
    package var scale: PlotScale

    package init(_ title: String, _ quantity: PlotQuantity, _ scale: PlotScale) {
        self.title = title
        self.quantity = quantity
        self.scale = scale
    }
}

/// Points that belong together, in the order in which they are joined.
package struct PlotSeries: Hashable, Sendable {
    package enum Form: Hashable, Sendable {
        case line
        /// A line with a mark at each point, which tells its values when it is pointed at.
        case marks
        /// Each value holds until the next point: what was counted.
        case steps
    }

    package var name: String
    package var form: Form
    package var points: [PlotPoint]

    package init(_ name: String, _ form: Form, _ points: [PlotPoint]) {
        self.name = name
        self.form = form
        self.points = points
    }
}

package struct PlotPoint: Hashable, Sendable {
    package var x: Double
    /// nil: nothing was measured here, and the line has a gap.
    package var y: Double?
    /// Has a ring around it, whose meaning the plot tells.
    package var hasRing: Bool

    package init(_ x: Double, _ y: Double?, hasRing: Bool = false) {
        self.x = x
        self.y = y
        self.hasRing = hasRing
    }
}

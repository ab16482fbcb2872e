package import JSON

/// How much memory more and more instances take, measured up to a limit, and how many would fit.
package struct Density: ReportObject {
    /// Memory of all instances together, by their number, ascending.
    package var points: [Point]
    /// Why no more were started: "the limit of 64 instances", "512 MiB of the machine were to be left free".
    package var stopped: String
    /// What one instance more takes, bytes: the slope of the points' regression line.
    package var bytesPerInstance: Double
    /// How many instances fit into the memory that the machine has, extrapolated.
    package var fits: Quantity<Int>

    package struct Point: ReportObject {
        package var instances: Int
        /// Of all of them together.
        package var bytes: Int

        package init(instances: Int, bytes: Int) {
            self.instances = instances
            self.bytes = bytes
        }

        package var json: JSONValue { ["instances": instances.json, "bytes": bytes.json] }

        package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
            instances = try reader.required("instances")
            bytes = try reader.required("bytes")
        }
    }

    package init(points: [Point], stopped: String, bytesPerInstance: Double, fits: Quantity<Int>) {
        self.points = points
        self.stopped = stopped
        self.bytesPerInstance = bytesPerInstance
        self.fits = fits
    }

    package var json: JSONValue {
        [
            "points": points.reportJSON, "stopped": stopped.json, "bytesPerInstance": bytesPerInstance.json,
            "fits": fits.json,
        ]
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        points = try reader.values("points")
        stopped = try reader.required("stopped")
        bytesPerInstance = try reader.required("bytesPerInstance")
        fits = try reader.value("fits")
    }
}

/// The time from nothing running until so many instances could take calls.
package struct ScaleUp: ReportObject {
    package var instances: Int
    /// Nanoseconds.
    package var time: Estimate

    package init(instances: Int, time: Estimate) {
        self.instances = instances
        self.time = time
    }

    package var json: JSONValue { ["instances": instances.json, "nanoseconds": time.json] }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        instances = try reader.required("instances")
        time = try reader.value("nanoseconds")
    }
}

/// An amount of money by a price book.
package struct Cost: ReportObject {
    package var amount: Double
    /// "USD"
    package var currency: String

    package init(amount: Double, currency: String) {
        self.amount = amount
        self.currency = currency
    }

    package var json: JSONValue { ["amount": amount.json, "currency": currency.json] }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        amount = try reader.required("amount")
        currency = try reader.required("currency")
    }
}

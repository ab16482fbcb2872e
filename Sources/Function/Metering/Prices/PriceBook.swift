package import JSON
internal import Linux

/// From what reports compute costs: prices in one currency, from a file or those of AWS.
package struct PriceBook: Hashable, Sendable {
    package var name: String
    /// Where the prices are from, for whoever reads a report.
    package var source: String
    /// "USD"
    package var currency: String
    package var perRequest: Price
    /// Of billed duration times memory size, on instances made on demand.
    package var perGBSecond: Price
    /// Of instances kept ready, used or not.
    package var perProvisionedGBSecond: Price
    /// Of billed duration times memory size, on instances kept ready.
    package var perProvisionedDurationGBSecond: Price
    /// Of /tmp beyond 512 MB times billed duration.
    package var perEphemeralGBSecond: Price

    /// What AWS asks for the same on its machines, without the free tier. Whoever needs the prices of today, of another region
    /// or of a contract writes them into a file.
    package static let aws = PriceBook(
        name: "AWS Lambda, us-east-1, x86", source: "https://aws.amazon.com/lambda/pricing/, first tier, as this version of Forkless knows it",
        currency: "USD", perRequest: Price(picos: 200_000), perGBSecond: Price(picos: 16_666_700),
        perProvisionedGBSecond: Price(picos: 4_166_700), perProvisionedDurationGBSecond: Price(picos: 9_722_200),
        perEphemeralGBSecond: Price(picos: 30_900))

    /// What the entries that were added up cost. Calls that were refused or answered from a key did not run and cost nothing.
    package func cost(of totals: CallTotals) -> Money {
        var money = Money()
        money.add(perRequest, times: totals.runs)
        money.add(perGBSecond, megabyteMilliseconds: totals.demandMegabyteMilliseconds)
        money.add(perProvisionedGBSecond, megabyteMilliseconds: totals.capacityMegabyteMilliseconds)
        money.add(perProvisionedDurationGBSecond, megabyteMilliseconds: totals.provisionedMegabyteMilliseconds)
        money.add(perEphemeralGBSecond, megabyteMilliseconds: totals.ephemeralMegabyteMilliseconds)
        return money
    }

    package var json: JSONValue {
        [
            "name": .string(name), "source": .string(source), "currency": .string(currency),
            "perRequest": .string("\(perRequest)"), "perGBSecond": .string("\(perGBSecond)"),
            "perProvisionedGBSecond": .string("\(perProvisionedGBSecond)"),
            "perProvisionedDurationGBSecond": .string("\(perProvisionedDurationGBSecond)"),
            "perEphemeralGBSecond": .string("\(perEphemeralGBSecond)"),
        ]
    }
}

/// Why a price book cannot be used: which file, which member, what is wrong.
package struct PriceBookError: Error, Hashable, Sendable, CustomStringConvertible {
    package var sentence: String

    package var description: String { sentence }
}

extension PriceBook {
    /// Reads the members that `json` writes. A price is a string or a number, exact either way; all members must be there.
    package init(_ bytes: [UInt8]) throws(PriceBookError) {
        do {
            var reader = try JSONObjectReader(try JSONParser.parse(bytes))
            name = try reader.required("name")
            source = try reader.required("source")
            currency = try reader.required("currency")
            guard currency.utf8.count == 3, currency.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
                throw reader.error("currency", "expected three capital letters such as USD, found \"\(currency)\"")
            }
            perRequest = try reader.price("perRequest")
            perGBSecond = try reader.price("perGBSecond")
            perProvisionedGBSecond = try reader.price("perProvisionedGBSecond")
            perProvisionedDurationGBSecond = try reader.price("perProvisionedDurationGBSecond")
            perEphemeralGBSecond = try reader.price("perEphemeralGBSecond")
            try reader.refuseUnknown()
        } catch { throw PriceBookError(sentence: "\(error)") }
    }

    /// The book in a file.
    package static func read(_ path: String) throws(PriceBookError) -> PriceBook {
        do { return try PriceBook(try Files.read(path, limit: 1 << 20)) } catch let error as PriceBookError {
            throw PriceBookError(sentence: "read the prices in \(path): \(error.sentence). Correct the file.")
        } catch { throw PriceBookError(sentence: "read the prices: \(error)") }
    }

    /// The book that a node uses: the one that it was told; otherwise STATE/functions/prices.json; otherwise AWS's.
    package static func chosen(_ path: String?, state: String) throws(PriceBookError) -> PriceBook {
        if let path { return try read(path) }
        let own = state + "/functions/prices.json"
        return Files.exists(own) ? try read(own) : .aws
    }
}

extension JSONObjectReader {
    fileprivate mutating func price(_ key: String) throws(JSONShapeError) -> Price {
        let value: JSONValue = try required(key)
        let text: String
        switch value {
        case .string(let string): text = string
        case .integer, .number: text = JSONWriter.text(value)
        default: throw error(key, "expected a price such as \"0.0000166667\", found \(value.kindName)")
        }
        guard let price = Price(text) else {
            throw error(
                key,
                "\"\(text)\" is no price: write a decimal from 0 to \(Price.highest) with at most \(Price.decimals) decimals")
        }
        return price
    }
}

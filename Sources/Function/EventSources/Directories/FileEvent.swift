internal import JSON
internal import Lambda
internal import Linux

/// The event of a file that has arrived, as S3 has it: the bucket is the directory, the key the name.
enum FileEvent {
    /// The same for the same version of a file: with a key it has one effect.
    static func id(_ mapping: EventSourceMapping, _ file: FileVersion) -> String {
        "\(mapping.id)/\(file.inode)/\(file.modified)/\(file.size)/\(file.path)"
    }

    static func bytes(
        _ mapping: EventSourceMapping, _ file: FileVersion, directory: String, md5: String, at time: Timestamp,
        account: LambdaAccount
    ) -> [UInt8] {
        let name = String(file.path.dropFirst(directory == "/" ? 1 : directory.utf8.count + 1))
        let record: JSONValue = [
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": .string(account.region),
            "eventTime": .string(time.millisecondText), "eventName": "ObjectCreated:Put",
            "userIdentity": ["principalId": .string(account.id)], "requestParameters": ["sourceIPAddress": "127.0.0.1"],
            "responseElements": [
                "x-amz-request-id": .string(Identifiers.named(id(mapping, file))), "x-amz-id-2": .string(mapping.id),
            ],
            "s3": [
                "s3SchemaVersion": "1.0", "configurationId": .string(mapping.id),
                "bucket": [
                    "name": .string(directory), "ownerIdentity": ["principalId": .string(account.id)],
                    "arn": .string(mapping.sourceARN),
                ],
                "object": [
                    "key": .string(encoded(name)), "size": .integer(Int64(file.size)), "eTag": .string(md5),
                    "sequencer": .string(sequencer(file)),
                ],
            ],
        ]
        return JSONWriter.bytes(["Records": [record]])
    }

    /// A later version of a file has a greater one: sixteen digits of its time.
    private static func sequencer(_ file: FileVersion) -> String {
        let digits = String(UInt64(bitPattern: Int64(file.modified)), radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// As S3 encodes keys in events: a form's encoding, in which a space is "+" and "/" stays.
    static func encoded(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "*"), UInt8(ascii: "/"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: " "): text += "+"
            default: text += "%" + Hexadecimal.text([byte]).uppercased()
            }
        }
        return text
    }
}

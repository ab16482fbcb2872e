package import JSON
import OCI

extension RegistryAccess: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            plainHosts: try reader.list("plainHosts"), credentials: try reader.nestedIfThere("credentials"))
    }

    package var json: JSONValue {
        .members(("plainHosts", plainHosts.isEmpty ? nil : plainHosts.json), ("credentials", credentials?.json))
    }
}

extension RegistryLogin: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        let token: String? = try reader.optional("identityToken")
        let user: String? = try reader.optional("user")
        let password: String? = try reader.optional("password")
        switch (token, user, password) {
        case (let token?, nil, nil): self.init(.identityToken(token))
        case (nil, let user?, let password?): self.init(.password(user: user, password: password))
        default: throw reader.error("user", "expected a user and a password, or an identity token")
        }
    }

    package var json: JSONValue {
        switch secret {
        case .password(let user, let password): ["user": user.json, "password": password.json]
        case .identityToken(let token): ["identityToken": token.json]
        }
    }
}

extension PullImage {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            try reader.required("image"),
            platform: try reader.parsed("platform", "a platform such as linux/arm64") { Platform($0) },
            access: try reader.nestedIfThere("access") ?? RegistryAccess())
    }

    package var json: JSONValue {
        .members(("image", image.json), ("platform", platform.map { $0.description.json }), ("access", access.json))
    }
}

extension ImagePulled {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            name: try reader.required("name"), id: try reader.required("id"), digest: try reader.required("digest"),
            isNew: try reader.required("isNew"))
    }

    package var json: JSONValue {
        .members(("name", name.json), ("id", id.json), ("digest", digest.json), ("isNew", isNew.json))
    }
}

extension PushImage {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(try reader.required("image"), access: try reader.nestedIfThere("access") ?? RegistryAccess())
    }

    package var json: JSONValue { .members(("image", image.json), ("access", access.json)) }
}

extension ImagePushed {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            name: try reader.required("name"), digest: try reader.required("digest"), size: try reader.required("size"))
    }

    package var json: JSONValue { .members(("name", name.json), ("digest", digest.json), ("size", size.json)) }
}

extension TransferProgress {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            part: try reader.required("part"), isLayer: try reader.required("isLayer"),
            size: try reader.required("size"), state: try reader.word("state"), bytes: try reader.optional("bytes"),
            message: try reader.optional("message"))
    }

    package var json: JSONValue {
        .members(
            ("part", part.json), ("isLayer", isLayer.json), ("size", size.json), ("state", state.rawValue.json),
            ("bytes", bytes?.json), ("message", message?.json))
    }
}

extension GetRegistries {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) { self.init() }

    package var json: JSONValue { .object([:]) }
}

extension NodeRegistries {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(usual: try reader.optional("usual"), plainHosts: try reader.list("plainHosts"))
    }

    package var json: JSONValue {
        .members(("usual", usual?.json), ("plainHosts", plainHosts.json))
    }
}

extension CheckRegistry {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            registry: try reader.required("registry"), access: try reader.nestedIfThere("access") ?? RegistryAccess())
    }

    package var json: JSONValue { .members(("registry", registry.json), ("access", access.json)) }
}

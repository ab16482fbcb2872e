import HTTPServing

/// What every answer tells browsers.
enum SecurityHeaders {
    /// Nothing is loaded but our own script, style and icon; nothing may frame us; forms lead to us.
    static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        + "frame-ancestors 'none'; base-uri 'none'"
    /// For saved reports, which are documents with their own style: no script, no address of ours.
    static let reportPolicy =
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

    static func add(to headers: inout HeaderFields, policy: String = policy) {
        headers["Content-Security-Policy"] = policy
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        // With "no-referrer" browsers would send "Origin: null" with our own forms.
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    }
}

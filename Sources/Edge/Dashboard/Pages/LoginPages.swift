extension Page {
    /// Where a token is asked for.
    static func login(problem: String? = nil) -> Page {
        var page = Page("Log in", in: nil)
        if let problem { page.content.element("p", .css("notice bad"), Attribute("role", "alert"), text: problem) }
        page.content.element("p") { line in
            line.write("Run ")
            line.element("code", text: "forkless dashboard")
            line.write(" on this machine and open the address that it prints, or enter the token that ")
            line.element("code", text: "forkless dashboard --token")
            line.write(" prints.")
        }
        page.content.element("form", Attribute("method", "post"), .action(Place(["login"])), .css("login")) { form in
            // So that password managers know whose token they keep.
            form.void(
                "input", Attribute("type", "text"), Attribute("name", "user"), Attribute("value", "forkless"), Attribute("autocomplete", "username"),
                .flag("hidden"))
            form.element("label") { label in
                label.element("span", text: "Token")
                label.void(
                    "input", Attribute("type", "password"), Attribute("name", "token"), .flag("required"), .flag("autofocus"),
                    Attribute("maxlength", "512"), Attribute("autocomplete", "current-password"))
            }
            form.element("button", Attribute("type", "submit"), text: "Log in")
        }
        return page
    }

    /// After an address with a ticket was opened. The next page is asked for by this one: a cookie that is SameSite=Strict does not
    /// go with what a page of another site has led to.
    static func loggedIn() -> Page {
        var page = Page("You are logged in", in: nil)
        page.continuesAt = Place()
        page.content.element("p") { $0.element("a", .href(Place()), text: "Go on to the dashboard") }
        return page
    }

    /// Why a request is not answered.
    static func problem(_ title: String, _ sentence: String) -> Page {
        var page = Page(title, in: nil)
        page.content.element("p", Attribute("role", "alert")) { $0.name(sentence, limit: 2000) }
        page.content.element("p") { $0.element("a", .href(Place()), text: "To the dashboard") }
        return page
    }

    /// Whether something should be done: what will happen, and the button that does it.
    static func confirmation(_ action: DashboardAction, _ surroundings: PageSurroundings) -> Page {
        var page = Page("\(action.title): \(action.subject)", in: nil)
        page.content.element("p") { $0.write(action.consequence) }
        page.content.element("form", Attribute("method", "post"), .action(Place(["do"])), .css("confirm")) { form in
            form.formToken(surroundings)
            for (name, value) in action.fields where value != nil {
                form.void("input", Attribute("type", "hidden"), Attribute("name", name), Attribute("value", value!))
            }
            if case .provision(_, _, nil) = action {
                form.element("label") { label in
                    label.element("span", text: "Copies")
                    label.void(
                        "input", Attribute("type", "number"), Attribute("name", "copies"), Attribute("min", "0"), Attribute("max", "10000"),
                        Attribute("value", "1"), .flag("required"))
                }
            }
            form.element("button", Attribute("type", "submit"), .css(action.isDestructive ? "danger" : "primary"), text: action.title)
            form.element("a", .css("button"), .href(action.returnsTo), text: "Cancel")
        }
        return page
    }
}

package import Linux

/// A section of the dashboard, as its navigation lists them.
package enum Section: String, Hashable, Sendable, CaseIterable {
    case overview, workloads, functions, shifts, images, events, ledger, reports

    var title: String {
        switch self {
        case .overview: "Overview"
        case .workloads: "Workloads"
        case .functions: "Functions"
        case .shifts: "Shifts"
        case .images: "Images and disk"
        case .events: "Events"
        case .ledger: "Ledger"
        case .reports: "Reports"
        }
    }

    var place: Place { self == .overview ? Place() : Place([rawValue]) }
}

/// What a page says besides its content.
package struct PageSurroundings: Hashable, Sendable {
    /// Of the session, for its forms; nil: nobody has logged in.
    package var formToken: String?
    /// What the last action did, shown once.
    package var notice: Notice?
    package var now: Timestamp

    package struct Notice: Hashable, Sendable {
        package var text: String
        package var isFailure: Bool

        package init(_ text: String, isFailure: Bool) {
            self.text = text
            self.isFailure = isFailure
        }
    }

    package init(formToken: String?, notice: Notice? = nil, now: Timestamp) {
        self.formToken = formToken
        self.notice = notice
        self.now = now
    }
}

/// A page's content, and how it is framed.
package struct Page: Sendable {
    package var title: String
    package var section: Section?
    /// What stays as it is while the page is looked at: forms.
    package var fixed = Markup()
    /// What is fetched anew while the page is looked at; the whole page where `isLive` is false.
    package var content = Markup()
    package var isLive = false
    /// Where a browser goes on by itself.
    package var continuesAt: Place?

    package init(_ title: String, in section: Section?, isLive: Bool = false) {
        self.title = title
        self.section = section
        self.isLive = isLive
    }

    /// The document. Landmarks: banner, navigation, main, contentinfo; one heading of the first level.
    package func document(_ surroundings: PageSurroundings) -> [UInt8] {
        var markup = Markup()
        markup.doctype()
        markup.element("html", Attribute("lang", "en")) { html in
            head(&html)
            html.element("body") { body in
                body.element("a", .css("skip"), Attribute.fragment("main"), text: "Skip to the content")
                if surroundings.formToken != nil { banner(&body, surroundings) }
                body.element("main", Attribute("id", "main"), Attribute("tabindex", "-1")) { main in
                    main.element("h1") { $0.name(title, limit: 200) }
                    if let notice = surroundings.notice {
                        main.element(
                            "p", .css(notice.isFailure ? "notice bad" : "notice good"), Attribute("role", notice.isFailure ? "alert" : "status")
                        ) { $0.name(notice.text, limit: 2000) }
                    }
                    main.append(fixed)
                    if isLive {
                        main.element("div", Attribute("id", "live")) { $0.append(content) }
                    } else {
                        main.append(content)
                    }
                }
                body.element("footer") { footer in
                    footer.write("Times are UTC. ")
                    footer.element("span", Attribute("id", "updates"), Attribute("role", "status"), text: "")
                }
            }
        }
        return markup.bytes
    }

    /// The live part alone, as the page's script fetches it.
    package func fragment() -> [UInt8] { content.bytes }

    private func head(_ html: inout Markup) {
        html.element("head") { head in
            head.void("meta", Attribute("charset", "utf-8"))
            head.void("meta", Attribute("name", "viewport"), Attribute("content", "width=device-width, initial-scale=1"))
            head.void("meta", Attribute("name", "color-scheme"), Attribute("content", "light dark"))
            head.element("title", text: "\(DisplayText.visible(title, limit: 80)) · Forkless")
            head.void("link", Attribute("rel", "icon"), .href(Assets.icon.place))
            head.void("link", Attribute("rel", "stylesheet"), .href(Assets.style.place))
            head.element("script", .src(Assets.script.place), .flag("defer"), text: "")
            if let continuesAt {
                head.void("meta", Attribute("http-equiv", "refresh"), Attribute("content", "0; url=\(continuesAt.text)"))
            }
        }
    }

    private func banner(_ body: inout Markup, _ surroundings: PageSurroundings) {
        body.element("header") { header in
            header.element("a", .css("brand"), .href(Place()), text: "Forkless")
            header.element("nav", Attribute("aria-label", "Sections")) { nav in
                nav.element("ul") { list in
                    for section in Section.allCases {
                        list.element("li") { item in
                            if section == self.section {
                                item.element("a", .href(section.place), Attribute("aria-current", "page"), text: section.title)
                            } else {
                                item.element("a", .href(section.place), text: section.title)
                            }
                        }
                    }
                }
            }
            header.element("form", Attribute("method", "post"), .action(Place(["logout"])), .css("logout")) { form in
                form.formToken(surroundings)
                form.element("button", Attribute("type", "submit"), .css("plain"), text: "Log out")
            }
        }
    }
}

extension Attribute {
    /// A link within the page.
    static func fragment(_ id: StaticString) -> Attribute { .href(Place(fragment: id)) }
}

extension Place {
    /// A place on the page that is shown.
    fileprivate init(fragment: StaticString) { self.init(text: "#\(fragment)") }
}

extension Markup {
    /// What shows that a form was made by us for this session.
    mutating func formToken(_ surroundings: PageSurroundings) {
        void("input", Attribute("type", "hidden"), Attribute("name", "form"), Attribute("value", surroundings.formToken ?? ""))
    }
}

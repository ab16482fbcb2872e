import Linux

extension Page {
    static func images(_ model: ImagesModel) -> Page {
        var page = Page("Images and disk", in: .images)
        page.content.part("On the disk") { part in
            part.table(
                "What images, containers and volumes take",
                [
                    Column("What"), Column("Number", isNumber: true), Column("In use", isNumber: true), Column("Size", isNumber: true),
                    Column("Could be freed", isNumber: true),
                ], model.disk, empty: "Nothing is there yet."
            ) { line, disk, cells in
                cells.header(&line, 0) { $0.name(disk.name) }
                cells.cell(&line, 1, Numbers.count(disk.count))
                cells.cell(&line, 2, Numbers.count(disk.active))
                cells.cell(&line, 3, Numbers.bytes(disk.bytes))
                cells.cell(&line, 4, Numbers.bytes(disk.reclaimableBytes))
            }
        }
        page.content.part("Images") { part in
            part.table(
                "Images of this node", [Column("Name"), Column("Id", .roomy), Column("Created", .roomy), Column("Size", isNumber: true), Column("Actions")],
                model.images, empty: "There are no images: build, pull or load one."
            ) { line, image, cells in
                cells.header(&line, 0) { cell in
                    if image.names.isEmpty { cell.element("span", .css("quiet"), text: "without a name") }
                    for name in image.names.prefix(8) { cell.element("div") { $0.name(name) } }
                    if image.names.count > 8 { cell.element("div", text: "and \(image.names.count - 8) more names") }
                }
                cells.cell(&line, 1, String(image.id.drop { $0 != ":" }.dropFirst().prefix(12)))
                cells.cell(&line, 2, image.created ?? "")
                cells.cell(&line, 3, Numbers.bytes(image.bytes))
                cells.cell(&line, 4) { $0.button(.removeImage(image.id), about: image.names.first ?? image.id) }
            }
        }
        return page
    }
}

/// The pages of the kinds of problems, as plain text and as HTML: what each means, and what to do.
struct ProblemPage: Sendable {
    let text: StaticDocument
    let html: StaticDocument

    /// By the last part of `/problems/…`.
    static let all = Dictionary(uniqueKeysWithValues: ProblemType.allCases.map { ($0.rawValue, ProblemPage($0)) })
    /// The list of all.
    static let index = ProblemPage()

    private init(_ type: ProblemType) {
        let words = type.words
        text = Self.text("\(type.reference)\n\n\(words.title) (\(words.statuses))\n\n\(words.meaning)\n\nWhat to do: \(words.remedy)\n")
        html = Self.html(
            words.title,
            """
            <section class="schema">
            <p><code>\(type.reference)</code>, status \(Self.escaped(words.statuses))</p>
            <p>\(Self.escaped(words.meaning))</p>
            <h2>What to do</h2>
            <p>\(Self.escaped(words.remedy))</p>
            </section>
            <p><a href="/problems">All problems</a></p>
            """)
    }

    private init() {
        text = Self.text(ProblemType.allCases.map { "\($0.reference)  \($0.words.title) (\($0.words.statuses))\n" }.joined())
        let items = ProblemType.allCases.map {
            "<li><a href=\"\($0.reference)\"><code>\($0.rawValue)</code></a> \(Self.escaped($0.words.title)) (\(Self.escaped($0.words.statuses)))</li>"
        }
        html = Self.html("Problems", "<ul>\n\(items.joined(separator: "\n"))\n</ul>")
    }

    private static func text(_ text: String) -> StaticDocument {
        StaticDocument(mediaType: "text/plain; charset=utf-8", content: Array(text.utf8))
    }

    private static func html(_ title: String, _ body: String) -> StaticDocument {
        let page = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>NTK Server: \(escaped(title))</title>
            <link rel="icon" href="/page/icon.svg" type="image/svg+xml">
            <link rel="stylesheet" href="/page/base.css">
            <link rel="stylesheet" href="/page/docs.css">
            </head>
            <body>
            <header class="bar">
              <p class="brand"><a href="/">NTK Server</a></p>
              <nav aria-label="Site">
                <a href="/">Playground</a>
                <a href="/docs">Reference</a>
                <a href="/problems">Problems</a>
              </nav>
            </header>
            <main id="reference">
            <h1>\(escaped(title))</h1>
            \(body)
            </main>
            </body>
            </html>

            """
        return StaticDocument(mediaType: "text/html; charset=utf-8", content: Array(page.utf8))
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}

/// Sums of products by letters: operands are folded from the left, each pair by one product of matrices.
struct EinsumRule: OperatorRule {
    let operators = ["Einsum"]

    private struct Term {
        var wire: Wire
        var letters: [Character]
    }

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let equation = try node.string("equation", "").filter { $0 != " " }
        let sides = equation.split(separator: ">", omittingEmptySubsequences: false)
        let left = sides[0].hasSuffix("-") ? sides[0].dropLast() : sides[0]
        let inputs = left.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard sides.count <= 2, inputs.count == node.inputs.count, !inputs.isEmpty else { throw node.invalid("equation \"\(equation)\"") }
        // Axes of an ellipsis are letters of their own, aligned at the end.
        let ellipsis = (0..<10).map { Character(UnicodeScalar(UInt8(48 + $0))) }
        var longest = 0
        var terms: [Term] = []
        for (index, text) in inputs.enumerated() {
            let wire = try node.input(index)
            let rank = graph.shape(wire).count
            var letters = Array(text)
            if let dots = Self.ellipsis(text) {
                let hidden = rank - (text.count - 3)
                guard 0...10 ~= hidden else { throw node.invalid("equation \"\(equation)\" for a tensor of \(rank) axes") }
                longest = max(longest, hidden)
                letters = Array(text[..<dots.lowerBound]) + ellipsis.suffix(hidden) + Array(text[dots.upperBound...])
            }
            guard letters.count == rank, Set(letters).count == rank, graph.kind(wire) == .real, letters.allSatisfy({ $0.isLetter || $0.isNumber })
            else {
                throw node.unsupported("equation \"\(equation)\": a letter twice in one operand, or not as many letters as axes")
            }
            terms.append(Term(wire: wire, letters: letters))
        }
        var output: [Character]
        if sides.count == 2 {
            let text = String(sides[1])
            output = Array(text)
            if let dots = Self.ellipsis(text) {
                output = Array(text[..<dots.lowerBound]) + ellipsis.suffix(longest) + Array(text[dots.upperBound...])
            }
        } else {
            let all = terms.flatMap(\.letters)
            output = ellipsis.suffix(longest) + Set(all).filter { letter in letter.isLetter && all.filter { $0 == letter }.count == 1 }.sorted()
        }
        var extents: [Character: Int] = [:]
        for term in terms {
            for (letter, extent) in zip(term.letters, graph.shape(term.wire)) {
                if let known = extents[letter], known != extent, known != 1, extent != 1 || !letter.isNumber {
                    throw node.invalid("letter \(letter) with extents \(known) and \(extent)")
                }
                extents[letter] = max(extents[letter] ?? 1, extent)
            }
        }
        guard Set(output).count == output.count, output.allSatisfy({ extents[$0] != nil }) else { throw node.invalid("equation \"\(equation)\"") }
        var result = terms[0]
        for index in terms.indices.dropFirst() {
            let later = terms[(index + 1)...].flatMap(\.letters)
            result = try product(result, terms[index], keeps: Set(output + later), extents, &graph)
        }
        result = try sum(result, keeps: Set(output), &graph)
        // An output letter that only one operand of extent 1 had is there; order is all that is left.
        guard Set(result.letters) == Set(output) else { throw node.invalid("equation \"\(equation)\"") }
        return [try graph.transpose(result.wire, output.map { letter in result.letters.firstIndex(of: letter) ?? 0 })]
    }

    /// Where three dots stand.
    private static func ellipsis(_ text: String) -> Range<String.Index>? {
        guard let start = text.firstIndex(of: "."), text[start...].hasPrefix("...") else { return nil }
        return start..<text.index(start, offsetBy: 3)
    }

    /// Sums over letters that nobody wants any more.
    private func sum<F: NetworkScalar>(_ term: Term, keeps: Set<Character>, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Term {
        let axes = term.letters.indices.filter { !keeps.contains(term.letters[$0]) }
        guard !axes.isEmpty else { return term }
        let wire = try graph.reduce(.sum, term.wire, axes: axes, keeps: false)
        return Term(wire: wire, letters: term.letters.filter { keeps.contains($0) })
    }

    private func product<F: NetworkScalar>(
        _ first: Term, _ second: Term, keeps: Set<Character>, _ extents: [Character: Int], _ graph: inout GraphBuilder<F>
    ) throws(GraphError) -> Term {
        let a = try sum(first, keeps: keeps.union(second.letters), &graph)
        let b = try sum(second, keeps: keeps.union(first.letters), &graph)
        let shared = a.letters.filter { b.letters.contains($0) }
        let batch = shared.filter { keeps.contains($0) }
        let contracted = shared.filter { !keeps.contains($0) }
        let rows = a.letters.filter { !shared.contains($0) }
        let columns = b.letters.filter { !shared.contains($0) }
        func count(_ letters: [Character]) -> Int { letters.reduce(1) { $0 * (extents[$1] ?? 1) } }
        /// The term with its letters in this order, each of its full extent.
        func arranged(_ term: Term, _ order: [Character], _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
            let moved = try graph.transpose(term.wire, order.map { letter in term.letters.firstIndex(of: letter) ?? 0 })
            return try graph.expand(moved, to: order.map { extents[$0] ?? 1 })
        }
        let left = try graph.reshape(try arranged(a, batch + rows + contracted, &graph), to: [count(batch), count(rows), count(contracted)])
        // One matrix for all products stays the one it is.
        let right = try graph.reshape(try arranged(b, batch + contracted + columns, &graph), to: [count(batch), count(contracted), count(columns)])
        let wire = try graph.matMul(left, right)
        let letters = batch + rows + columns
        return Term(wire: try graph.reshape(wire, to: letters.map { extents[$0] ?? 1 }), letters: letters)
    }
}

internal import HTTP1
internal import HTTPTypes

extension Operation {
    /// What is known to be wrong before the body is read.
    /// - Returns: the most bytes that the body may have.
    func admit(_ head: HTTPRequest, _ target: Target, _ limits: NTKService.Limits) throws(ProblemDetails) -> Int {
        let isFormatGiven = hasForms && target.parameter(QueryParameter.format.name) != nil
        if let accept = head.headerFields.value(.accept), !isFormatGiven, !answerTypes.contains(where: { MediaRange.allows(accept, $0) }) {
            throw ProblemDetails.notAcceptable(answerTypes, head, target)
        }
        guard let bodies else { return NTKService.smallBody }
        let type = head.headerFields.value(.contentType).map(MediaRange.type)
        guard type.map(bodies.types.contains) ?? bodies.isTypeOptional else {
            throw ProblemDetails(
                status: .unsupportedMediaType, type: .unsupportedMediaType, title: "The body is of a type that cannot be read",
                detail: "Content-Type: \(bodies.types.joined(separator: ", ")) expected "
                    + "(curl: -H 'Content-Type: application/json', or -F for parts); \(type ?? "none") came",
                headerFields: [.accept: bodies.types.joined(separator: ", ")])
        }
        return bodies.isSmall ? NTKService.smallBody : limits.bodyBytes
    }
}

import HTTPTypes

/// One function a status, so that the place that refuses a message says only why, and by which rule.
extension HTTPRejection {
    package static func badRequest(_ detail: String, _ rule: String) -> HTTPRejection {
        HTTPRejection(status: .badRequest, detail: detail, rule: rule)
    }

    package static func requestTimeout(_ detail: String, _ rule: String) -> HTTPRejection {
        HTTPRejection(status: .requestTimeout, detail: detail, rule: rule)
    }

    package static func contentTooLarge(_ detail: String, _ rule: String) -> HTTPRejection {
        HTTPRejection(status: .init(code: 413, reasonPhrase: "Content Too Large"), detail: detail, rule: rule)
    }

    package static func uriTooLong(_ detail: String, _ rule: String) -> HTTPRejection {
        HTTPRejection(status: .uriTooLong, detail: detail, rule: rule)
    }

    package static func expectationFailed(_ detail: String, _ rule: String) -> HTTPRejection {
        HTTPRejection(status: .expectationFailed, detail: detail, rule: rule)
    }

    package static func misdirectedRequest(_ detail: String, _ rule: String) -> HTTPRejection {
        HTTPRejection(status: .misdirectedRequest, detail: detail, rule: rule)
    }

    package static func fieldsTooLarge(_ detail: String, _ rule: String) -> HTTPRejection {
        HTTPRejection(status: .requestHeaderFieldsTooLarge, detail: detail, rule: rule)
    }

    package static func notImplemented(_ detail: String, _ rule: String) -> HTTPRejection {
        HTTPRejection(status: .notImplemented, detail: detail, rule: rule)
    }

    package static func serviceUnavailable(_ detail: String, _ rule: String) -> HTTPRejection {
        HTTPRejection(status: .serviceUnavailable, detail: detail, rule: rule)
    }

    package static func versionNotSupported(_ detail: String, _ rule: String) -> HTTPRejection {
        HTTPRejection(status: .httpVersionNotSupported, detail: detail, rule: rule)
    }
}

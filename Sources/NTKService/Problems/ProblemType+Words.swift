/// What a client is told of a kind of problem: what it means, and what to do.
struct ProblemWords: Sendable {
    /// As in the `status` of such problems.
    let statuses: String
    let title: String
    let meaning: String
    let remedy: String

    init(_ statuses: String, _ title: String, _ meaning: String, do remedy: String) {
        (self.statuses, self.title, self.meaning, self.remedy) = (statuses, title, meaning, remedy)
    }
}

extension ProblemType {
    var words: ProblemWords {
        switch self {
        case .badParameter:
            ProblemWords(
                "400", "A query parameter has a value that means nothing",
                "The operation has a query parameter of this name, and the value that came is none that it can have.",
                do: "Read detail, which names the parameter and the values that are expected. Cursors (after) are what next of a list gave.")
        case .damagedArtifact:
            ProblemWords(
                "500", "A stored artifact is damaged",
                "A network, a regressor or a job in the data directory is not what was written: a file is missing, cut or changed. "
                    + "Nothing is ever computed from what is damaged.",
                do: "Delete what detail names and make it again, or restore the data directory from a copy. Look at the disk.")
        case .deadline:
            ProblemWords(
                "504", "The time that the request gave is over",
                "The request came with Request-Timeout (or timeout, in the inference protocol), and its computation did not end, or is not expected "
                    + "to end, within that time. What was begun has been stopped.",
                do: "Ask with estimate_only=true how long it takes; give more time, or ask for a job with Prefer: respond-async.")
        case .foreignHost:
            ProblemWords(
                "421", "The server does not answer for this host",
                "The request names a host that is not this server. So a page in a browser cannot reach the server by a name that it controls.",
                do: "Ask by localhost or by the server's address, or start the server with --allowed-host and the name.")
        case .foreignOrigin:
            ProblemWords(
                "403", "Pages of this origin may not use the server",
                "A browser sent the request from a page of another origin, and the server has no keys that would tell who asks.",
                do: "Start the server with --cors-origin and the origin of the page, or with --api-keys.")
        case .http:
            ProblemWords(
                "400, 408, 411, 413, 414, 417, 431, 501, 503, 505 and others of RFC 9110", "The message is not HTTP as the server reads it",
                "The message breaks a rule of HTTP, has a field whose value means nothing, or is over a limit of the server; title is the reason "
                    + "phrase of the status, and detail names the rule.",
                do: "Read detail. For 413, 414 and 431 send less, or start the server with larger limits.")
        case .idempotencyKeyInUse:
            ProblemWords(
                "409", "The first request with this key is still in progress",
                "A request with the same Idempotency-Key is being answered now.",
                do: "Send the same request again after the seconds of Retry-After: it gets the first answer.")
        case .idempotencyKeyReused:
            ProblemWords(
                "422", "The key belongs to another request",
                "An earlier request came with the same Idempotency-Key and was another one: its path, type or body differs.",
                do: "Make a new key for each new request, and repeat a request byte for byte.")
        case .internal:
            ProblemWords(
                "500", "The server failed", "An error that should not be possible: the fault is the program's, not the request's.",
                do: "Report it with request_id, which is in the server's log, too.")
        case .invalidInference:
            ProblemWords(
                "400", "The inference request is not one",
                "The body is not what the Open Inference Protocol v2 describes, or its tensors do not fit the regressor.",
                do: "Read detail, and GET /v2/models/{id}, which names inputs and outputs with their shapes.")
        case .invalidInput:
            ProblemWords(
                "422", "The request cannot be computed as it stands",
                "The body can be read, and a value in it means nothing: a shape that does not fit, an unknown layer or field, a number out of range.",
                do: "Read errors: each has a JSON pointer to the value, and says what was expected and what came.")
        case .jobCancelled:
            ProblemWords(
                "409", "The job was cancelled", "The result was asked for of a job that was cancelled; there is none.",
                do: "Send the request again as a new job.")
        case .jobLost:
            ProblemWords(
                "500", "The server died whenever it worked on this",
                "Several attempts in a row ended with the end of the server's process, as when memory runs out; the job is given up.",
                do: "Make the request smaller, or give the server more memory.")
        case .jobNotFinished:
            ProblemWords(
                "409", "The job has not ended", "The result was asked for of a job that waits or is being worked on.",
                do: "Ask again after the seconds of Retry-After, or follow /v1/jobs/{id}/events.")
        case .keyExpired:
            ProblemWords(
                "403", "The key has expired", "The key is one of the server's, and its time is over.", do: "Ask the server's operator for a new key.")
        case .malformedBody:
            ProblemWords(
                "400", "The body, or a part of it, is not a file that can be read",
                "A .npy, .npz or .safetensors file, or multipart/form-data, breaks the rules of its format.",
                do: "Read detail, which names the part and the rule. Write arrays with numpy.save, numpy.savez or safetensors.")
        case .malformedJSON:
            ProblemWords(
                "400", "The body is not a JSON text that can be read",
                "The text breaks the rules of JSON, has a key twice in one object, a number beyond float64, or is nested too deeply.",
                do: "Read errors, which has a JSON pointer to the place as far as the text could be read.")
        case .methodNotAllowed:
            ProblemWords(
                "405", "The resource has no such method", "There is something at this path, which cannot be asked with this method.",
                do: "Use one of the methods in the field Allow.")
        case .notAcceptable:
            ProblemWords(
                "406", "No such representation", "Accept, or format, names no form in which this answer can be had.",
                do: "Read detail, which lists the forms. An answer of several arrays cannot be had as one .npy.")
        case .notFound:
            ProblemWords(
                "404", "There is nothing here", "No operation has this path, or nothing is stored under the id in it.",
                do: "Compare the path with /docs; list what is stored with GET /v1/networks, /v1/regressors or /v1/jobs.")
        case .overLimit:
            ProblemWords(
                "422", "The request needs more than one request may take",
                "By its estimate the request takes more memory or time than the server gives one request; nothing was computed.",
                do: "Make the request smaller, ask for a job (Prefer: respond-async), which may take longer, or start the server with larger limits.")
        case .preconditionFailed:
            ProblemWords(
                "412", "What is there is not what the request is about",
                "If-Match, If-None-Match or If-Unmodified-Since names another state of the resource than the present one.",
                do: "GET the resource, look at what has changed, and ask with its ETag.")
        case .rangeNotSatisfiable:
            ProblemWords(
                "416", "The range is not within the result", "Range begins beyond the end of the result.",
                do: "Read Content-Range, which has the length.")
        case .rateLimited:
            ProblemWords(
                "429", "Too many requests", "The client has made as many requests as it may in this window of time.",
                do: "Wait the seconds of Retry-After. RateLimit tells what is left, RateLimit-Policy what is granted.")
        case .repeated:
            ProblemWords(
                "400", "What may come once came twice",
                "A query parameter, a header field, a part of the body or a field of the request may come once, and came twice: only the client knows "
                    + "which of them it meant.",
                do: "Send it once; detail names it.")
        case .singularSystem:
            ProblemWords(
                "422", "The kernel matrix is singular",
                "K + ridge·I is not positive definite to working precision, and the request did not say what to do then.",
                do: "Give a larger ridge, leave out points that coincide, or ask for on_singular minimum_norm or jitter.")
        case .storedObjectTooLarge:
            ProblemWords(
                "422", "What is stored is larger than the memory of this server",
                "A stored network or regressor takes more memory, once it is read, than the server has for all requests.",
                do: "Start the server with a larger --memory-budget.")
        case .unauthorized:
            ProblemWords(
                "401", "A key is needed", "The server has keys, and the request came without one, or with one that is none of them.",
                do: "Send Authorization: Bearer KEY.")
        case .unavailable:
            ProblemWords(
                "503", "The server has no capacity for this now",
                "Memory or the queue is full, the data directory cannot be used now, or the server is ending.",
                do: "Ask again after the seconds of Retry-After, or ask another server.")
        case .unknownParameter:
            ProblemWords(
                "400", "The query has a parameter that means nothing here", "The operation has no query parameter of this name.",
                do: "Read detail, which lists the parameters of this operation, or /docs.")
        case .unsupportedMediaType:
            ProblemWords(
                "415", "The body is of a type that cannot be read", "Content-Type, or Content-Encoding, names what this operation does not read.",
                do: "Use a type of the field Accept of the answer: mostly application/json, or multipart/form-data for arrays as files.")
        }
    }
}

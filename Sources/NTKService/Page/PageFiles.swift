internal import CEmbedded

/// The files of the page at `/` and of the reference at `/docs`, as the binary carries them, by name.
enum PageFiles {
    static let all: [String: StaticDocument] = {
        let table = unsafe UnsafeBufferPointer(start: ntk_page_files(), count: ntk_page_file_count)
        var files: [String: StaticDocument] = [:]
        for index in 0..<ntk_page_file_count {
            let file = unsafe table[index]
            let content = unsafe Array(UnsafeBufferPointer(start: file.bytes, count: file.size))
            unsafe files[String(cString: file.name)] = StaticDocument(mediaType: String(cString: file.media_type), content: content)
        }
        return files
    }()
}

import HTTP1
import HTTPTypes
import Testing

/// A field's value beside what the library's subscript gives.
struct HTTPFieldsValueTests {
    @Test func itIsWhatTheSubscriptGives() {
        var fields = HTTPFields()
        #expect(fields.value(.accept) == nil)
        fields.append(HTTPField(name: .contentType, value: "text/plain"))
        fields.append(HTTPField(name: .accept, value: "a"))
        #expect(fields.value(.accept) == "a" && fields.value(.contentType) == "text/plain" && fields.value(.vary) == nil)
        for (name, values) in [(HTTPField.Name.accept, ["b", ""]), (.cookie, ["x=1", "y=2"])] {
            for value in values { fields.append(HTTPField(name: name, value: value)) }
            #expect(fields.value(name) == fields[name])
        }
        #expect(fields.value(.accept) == "a, b, " && fields.value(.cookie) == "x=1; y=2")
    }
}

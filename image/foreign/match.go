package foreign

import (
	"slices"
	"strings"

	"spindle/image/format"
)

// named goes by the name of a file alone, where nothing is known of what is in it.
func named(suffixes ...string) func(*format.Probe) bool {
	return func(p *format.Probe) bool {
		name := strings.ToLower(p.Name)
		return slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) })
	}
}

// isNKit knows what NKit leaves of discs of the GameCube (whose mark is at 1Ch) and the Wii (18h).
func isNKit(p *format.Probe) bool {
	const nkit = 0x200
	return len(p.Head) >= nkit+4 && string(p.Head[nkit:nkit+4]) == "NKIT" &&
		(string(p.Head[0x1C:0x20]) == "\xC2\x33\x9F\x3D" || string(p.Head[0x18:0x1C]) == "\x5D\x1C\x9E\xA3")
}

// isXISO knows the file system of Xbox discs. A whole disc has a film in front of it, with UDF.
func isXISO(p *format.Probe) bool {
	const magic, at = "MICROSOFT*XBOX*MEDIA", 32 * 2048
	b := make([]byte, len(magic))
	n, _ := p.R.ReadAt(b, at)
	return n == len(b) && string(b) == magic
}

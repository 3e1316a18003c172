package sim

import (
	"strings"
	"testing"

	"spindle/scsi"
)

// Every description can be read and used, and names where it comes from.
func TestPersonalities(t *testing.T) {
	all, err := Personalities()
	if err != nil || len(all) < 10 {
		t.Fatalf("%d drives, %v", len(all), err)
	}
	for _, p := range all {
		t.Run(p.Name, func(t *testing.T) {
			if len(p.Drive.Vendor) > 8 || len(p.Drive.Product) > 16 || len(p.Drive.Revision) > 4 {
				t.Errorf("INQUIRY has no room for %+v", p.Drive)
			}
			if len(p.Sources) == 0 || len(p.Reported) == 0 {
				t.Error("nobody reported it")
			}
			for _, s := range p.Sources {
				if !strings.HasPrefix(s, "http") {
					t.Errorf("source %q", s)
				}
			}
			s, err := ParseSpec("?drive=" + p.Name)
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Config.Traits) != len(p.Traits) {
				t.Errorf("%d of %d traits", len(s.Config.Traits), len(p.Traits))
			}
			b := make([]byte, 36)
			if _, err := New(s.Config).Execute(t.Context(), &scsi.Command{CDB: []byte{0x12, 0, 0, 0, 36, 0}, Direction: scsi.In, Data: b}); err != nil {
				t.Fatal(err)
			}
			got := strings.TrimRight(string(b[8:16]), " ") + "|" + strings.TrimRight(string(b[16:32]), " ") + "|" + string(b[32:])
			if want := p.Drive.Vendor + "|" + p.Drive.Product + "|" + p.Drive.Revision; strings.TrimSpace(got) != want {
				t.Errorf("it says %q, want %q", got, want)
			}
		})
	}
}

// What stands behind drive= and trait=, right and wrong.
func TestParseTraits(t *testing.T) {
	for spec, want := range map[string]string{
		"?trait=c2-late,drops-mcn&trait=cache": "",
		"?trait=cache:9999":                    "",
		"?drive=gh40l&trait=no-c2&offset=5":    "",
		"?trait=c2-early":                      `there is no trait "c2-early"`,
		"?trait=c2-late:5":                     "takes no argument",
		"?trait=cache:5":                       "BYTES is not a number from 2352 to 67108864",
		"?trait=cache:x":                       "BYTES is not a number",
		"?trait=protected-range":               "wants :LBA-LBA",
		"?trait=protected-range:9-5":           "wants :LBA-LBA",
		"?trait=c2-late,":                      `there is no trait ""`,
		"?drive=px-1":                          "there is no such drive",
	} {
		_, err := ParseSpec(spec)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
}

// There are no sources for traits that do not exist.
func TestTraitSources(t *testing.T) {
	for name := range traitSources {
		if _, err := ParseTrait(name); err != nil && !strings.Contains(err.Error(), "wants") {
			t.Error(err)
		}
	}
}

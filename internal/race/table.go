package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
)

// A row is what one program made of one disc.
type row struct {
	disc, program        string
	of, right, silent    int // sectors
	failed, reads, asked int // reads, and the sectors of them
	seconds, samples     float64
	stopped              bool
}

// readRows finds the rows in the output of races. Of a disc that was raced twice the last counts.
func readRows(paths []string) (all map[string]map[string]row, discs []string, err error) {
	all = map[string]map[string]row{}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, nil, err
		}
		scan := bufio.NewScanner(f)
		for scan.Scan() {
			r, ok := parseRow(scan.Text())
			if !ok {
				continue
			}
			if all[r.disc] == nil {
				all[r.disc] = map[string]row{}
				discs = append(discs, r.disc)
			}
			all[r.disc][r.program] = r
		}
		if err := errors.Join(scan.Err(), f.Close()); err != nil {
			return nil, nil, err
		}
	}
	return all, discs, nil
}

func parseRow(line string) (r row, ok bool) {
	f := strings.Split(strings.TrimRight(line, "\r"), "\t")
	if len(f) != 9 || f[0] != "race" {
		return r, false
	}
	r.disc, r.program, r.stopped = f[1], f[2], strings.HasPrefix(f[8], "stopped")
	n, err := fmt.Sscan(strings.Join(f[3:8], " "), &r.of, &r.right, &r.silent, &r.failed, &r.reads, &r.asked, &r.seconds, &r.samples)
	return r, err == nil && n == 8
}

// The programs of the race, and those of them that are spindle.
var (
	ours   = []string{"spindle rip", "spindle rip --retries 0"}
	theirs = []string{"ddrescue -d", "ddrescue -n, -d -r3", "readom -noerror", "dvdisaster -r", "cdrdao read-cd", "cdparanoia -z", "icedax -paranoia"}
)

// A column of a table is a program; the tables are of the discs whose names begin so.
var pages = []struct {
	page, mark string
	discs      []string
	programs   []string
}{
	{"docs/rescue.md", "race of programs", []string{"cd", "dvd", "bd"}, append(ours[:2:2], theirs[:5]...)},
	{"docs/rescue.md", "race of audio", []string{"mixed", "audio"}, append(ours[:2:2], theirs[4:]...)},
}

// String is a cell.
func (r row) String() string {
	text := fmt.Sprintf("%d, %d, %.0f s", r.right, r.failed, r.seconds)
	if r.silent > 0 {
		text += fmt.Sprintf(", **%d wrong**", r.silent)
	}
	if r.stopped {
		text += ", stopped"
	}
	return text
}

// tables puts the rows of races into the pages.
func tables(logs []string) error {
	all, discs, err := readRows(logs)
	if err != nil {
		return err
	}
	for _, p := range pages {
		var b strings.Builder
		b.WriteString("| disc | `" + strings.Join(p.programs, "` | `") + "` |\n|" + strings.Repeat("---|", len(p.programs)+1) + "\n")
		for _, d := range discs {
			kind, _, _ := strings.Cut(d, "-")
			if !strings.Contains(" "+strings.Join(p.discs, " ")+" ", " "+kind+" ") {
				continue
			}
			b.WriteString("| " + d)
			for _, program := range p.programs {
				cell := "–"
				if r, ok := all[d][program]; ok {
					cell = r.String()
				}
				b.WriteString(" | " + cell)
			}
			b.WriteString(" |\n")
		}
		if err := replace(p.page, p.mark, b.String()); err != nil {
			return err
		}
	}
	return nil
}

// replace puts a table between its marks in a page.
func replace(path, mark, table string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin, end := "<!-- "+mark+" -->\n", "<!-- end of "+mark+" -->\n"
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, also := strings.Cut(rest, end)
	if !ok || !also {
		return fmt.Errorf("%s has no place for the %s", path, mark)
	}
	return os.WriteFile(path, []byte(before+begin+table+end+after), 0o666)
}

// concealed is a disc of which a drive gives wrong samples without a sign, the same each time.
const concealed = "audio-same"

// errBehind says that spindle is not where it is to be.
var errBehind = errors.New("spindle is behind")

// checkRows fails where spindle calls a wrong sector good, or, with its usual retries, has fewer right than the best of
// the others. Where it costs more than ddrescue, that is said.
func checkRows(logs []string) error {
	all, discs, err := readRows(logs)
	if err != nil {
		return err
	}
	if len(discs) == 0 {
		return errors.New("no rows")
	}
	for _, d := range discs {
		spindle, known := all[d][ours[0]]
		if !known {
			return fmt.Errorf("%s: spindle did not run", d)
		}
		for _, program := range ours {
			if r := all[d][program]; r.silent > 0 && d != concealed {
				fmt.Printf("FAIL  %s: %s calls %d wrong sectors good\n", d, program, r.silent)
				err = errBehind
			}
		}
		for _, program := range theirs {
			if r, ran := all[d][program]; ran && r.of <= spindle.of && r.right-r.of > spindle.right-spindle.of {
				fmt.Printf("FAIL  %s: %d right, %s has %d\n", d, spindle.right, program, r.right)
				err = errBehind
			}
		}
		quick, ran := all[d][ours[1]]
		if r := all[d][theirs[0]]; ran && quick.failed > r.failed && r.of > 0 {
			fmt.Printf("note  %s: %d reads failed without retries, %d of %s\n", d, quick.failed, r.failed, theirs[0])
		}
	}
	return err
}

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spindle/addr"
	"spindle/burn"
	"spindle/disc"
	"spindle/image"
	"spindle/iso"

	"github.com/spf13/cobra"
)

// The values of flags that have a form of their own. A value that is wrong is
// refused while the command line is read.

// oneOf calls set when s is one of the values.
func oneOf(s string, values []string, set func()) error {
	if !slices.Contains(values, s) {
		return fmt.Errorf("it is %s or %s", strings.Join(values[:len(values)-1], ", "), values[len(values)-1])
	}
	set()
	return nil
}

// complete offers the values of a flag to the shell.
func complete(c *cobra.Command, flag string, values []string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // no such flag
	}
}

// driveNames are the values of --drive.
type driveNames []string

func (d *driveNames) String() string { return strings.Join(*d, ", ") }
func (d *driveNames) Type() string   { return "DRIVE" }
func (d *driveNames) Set(s string) error {
	if s == "" {
		return fmt.Errorf("it is a device such as /dev/sr0, or sim:FILE")
	}
	*d = append(*d, s)
	return nil
}

// A speedFlag is a speed in multiples of 1x; "16x" is 16.
type speedFlag float64

const mostSpeed = 100

func (v *speedFlag) String() string { return strconv.FormatFloat(float64(*v), 'g', -1, 64) }
func (v *speedFlag) Type() string   { return "N" }
func (v *speedFlag) Set(s string) error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(strings.ToLower(s), "x"), 64)
	if err != nil || !(n >= 0 && n <= mostSpeed) {
		return fmt.Errorf("it is a multiple of 1x, such as 8")
	}
	*v = speedFlag(n)
	return nil
}

// A countFlag is a whole number within bounds.
type countFlag struct {
	n        *int
	min, max int
	unit     string
}

func count(n *int, value, least, most int, unit string) *countFlag {
	*n = value
	return &countFlag{n: n, min: least, max: most, unit: unit}
}

func (v *countFlag) String() string {
	if v.n == nil {
		return "0"
	}
	return strconv.Itoa(*v.n)
}
func (v *countFlag) Type() string { return v.unit }
func (v *countFlag) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < v.min || n > v.max {
		return fmt.Errorf("it is a number from %d to %d", v.min, v.max)
	}
	*v.n = n
	return nil
}

// A trackFlag is the number of a track to take of an image; 0 is [image.HiddenTrack].
type trackFlag struct{ n *int }

func (v trackFlag) String() string {
	if v.n == nil || *v.n == 0 {
		return ""
	}
	return strconv.Itoa(max(*v.n, 0))
}
func (v trackFlag) Type() string { return "N" }
func (v trackFlag) Set(s string) error {
	f := count(new(int), 0, 0, 99, "")
	if err := f.Set(s); err != nil {
		return err
	}
	if *v.n = *f.n; *v.n == 0 {
		*v.n = image.HiddenTrack
	}
	return nil
}

// A sizeFlag is a number of sectors of 2048 bytes.
type sizeFlag int

func (v *sizeFlag) String() string { return strconv.Itoa(int(*v)) }
func (v *sizeFlag) Type() string   { return "SIZE" }
func (v *sizeFlag) Set(s string) error {
	n, ok := parseSize(s)
	if !ok {
		return fmt.Errorf("it is a number of sectors, MM:SS:FF, or a size such as 700MB or 4.7GB")
	}
	*v = sizeFlag(n)
	return nil
}

// sizeUnits are the units of a size, in sectors.
var sizeUnits = map[string]float64{"": 1, "KB": 1e3 / iso.BlockSize, "MB": 1e6 / iso.BlockSize, "GB": 1e9 / iso.BlockSize,
	"KIB": 1 << 10 / float64(iso.BlockSize), "MIB": 1 << 20 / iso.BlockSize, "GIB": 1 << 30 / iso.BlockSize}

// parseSize reads a number of sectors, MM:SS:FF, or a size such as 700MB, and
// returns it in sectors.
func parseSize(s string) (int, bool) {
	if t, err := addr.ParseMSF(s); err == nil {
		return t.Frames(), true
	}
	digits := strings.TrimRight(strings.ToUpper(s), "KMGIB")
	unit, ok := sizeUnits[strings.ToUpper(s)[len(digits):]]
	v, err := strconv.ParseFloat(digits, 64)
	if !ok || err != nil || !(v > 0 && v*unit <= disc.MaxLBA) {
		return 0, false
	}
	return int(v*unit + 0.999999), true
}

// A modeFlag is how a CD or DVD is written.
type modeFlag burn.Mode

var modeNames = []string{"sao", "tao", "raw", "dao", "incremental"}

var modes = map[string]burn.Mode{"sao": burn.SessionAtOnce, "tao": burn.TrackAtOnce, "raw": burn.Raw96,
	"dao": burn.DiscAtOnce, "incremental": burn.Incremental}

func (v *modeFlag) String() string {
	for name, m := range modes {
		if m == burn.Mode(*v) && *v != "" {
			return name
		}
	}
	return ""
}
func (v *modeFlag) Type() string { return "MODE" }
func (v *modeFlag) Set(s string) error {
	return oneOf(s, modeNames, func() { *v = modeFlag(modes[s]) })
}

// A spareFlag says how much of a Blu-ray disc is set aside for defects.
type spareFlag burn.Spare

var spareNames = []string{string(burn.SpareNone), string(burn.SpareMinimum), string(burn.SpareDefault)}

func (v *spareFlag) String() string { return string(*v) }
func (v *spareFlag) Type() string   { return "SIZE" }
func (v *spareFlag) Set(s string) error {
	return oneOf(s, spareNames, func() { *v = spareFlag(s) })
}

// An fsFlag is the kind of file system to look into.
type fsFlag struct{ kind *iso.Kind }

var (
	fsNames = []string{"iso", "udf", "hfs"}
	fsKinds = map[string]iso.Kind{"iso": iso.ISO9660, "udf": iso.UDF, "hfs": iso.HFS}
)

func (v fsFlag) String() string {
	for name, k := range fsKinds {
		if v.kind != nil && k == *v.kind {
			return name
		}
	}
	return ""
}
func (v fsFlag) Type() string { return "KIND" }
func (v fsFlag) Set(s string) error {
	return oneOf(s, fsNames, func() { *v.kind = fsKinds[s] })
}

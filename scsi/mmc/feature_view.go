package mmc

// at returns byte i of the feature's data, counted as the standard does from
// the start of the descriptor, and zero where the descriptor is shorter.
func (f *Feature) at(i int) byte {
	if f == nil || i-4 >= len(f.Data) {
		return 0
	}
	return f.Data[i-4]
}

// CDRead is feature 001Eh (5.3.10).
type CDRead struct {
	DAP    bool // digital audio play flag in READ CD
	C2     bool // C2 error pointers
	CDText bool // READ TOC format 5
}

// CDRead decodes feature 001Eh; on a nil Feature all is false.
func (f *Feature) CDRead() CDRead {
	return CDRead{DAP: bit(f.at(4), 7), C2: bit(f.at(4), 1), CDText: bit(f.at(4), 0)}
}

// LoadingMechanism is how discs come into a drive (5.3.4, table 97).
type LoadingMechanism uint8

// The loading mechanisms.
const (
	LoadingCaddy    LoadingMechanism = 0
	LoadingTray     LoadingMechanism = 1
	LoadingPopUp    LoadingMechanism = 2
	LoadingChanger  LoadingMechanism = 4 // of single discs
	LoadingMagazine LoadingMechanism = 5
)

var loadingNames = map[LoadingMechanism]string{
	LoadingCaddy: "caddy", LoadingTray: "tray", LoadingPopUp: "pop-up", LoadingChanger: "changer", LoadingMagazine: "magazine changer",
}

func (l LoadingMechanism) String() string { return name(loadingNames, l, "loading mechanism") }

// RemovableMedium is feature 0003h (5.3.4).
type RemovableMedium struct {
	Loading LoadingMechanism
	Load    bool // can load by command
	Eject   bool
	Lock    bool
}

// RemovableMedium decodes feature 0003h.
func (f *Feature) RemovableMedium() RemovableMedium {
	b := f.at(4)
	return RemovableMedium{Loading: LoadingMechanism(b >> 5), Load: bit(b, 4), Eject: bit(b, 3), Lock: bit(b, 0)}
}

// Streaming is feature 0107h (5.3.51).
type Streaming struct {
	BufferBlocks   bool // READ BUFFER CAPACITY in blocks
	SetCDSpeed     bool
	ModePage2A     bool
	WriteSpeeds    bool // GET PERFORMANCE type 3
	StreamingWrite bool
}

// Streaming decodes feature 0107h.
func (f *Feature) Streaming() Streaming {
	b := f.at(4)
	return Streaming{
		BufferBlocks: bit(b, 4), SetCDSpeed: bit(b, 3), ModePage2A: bit(b, 2),
		WriteSpeeds: bit(b, 1), StreamingWrite: bit(b, 0),
	}
}

// CDWrite is feature 002Dh, Track at Once, or 002Eh, Mastering (5.3.26, 5.3.27).
type CDWrite struct {
	BufferUnderrunFree bool
	SessionAtOnce      bool // 002Eh
	Raw                bool // 002Eh
	RawMultiSession    bool // 002Eh
	TestWrite          bool
	CDRW               bool
	SubchannelRW       bool
	MaxCueSheet        int // bytes; 002Eh
}

// CDWrite decodes feature 002Dh or 002Eh.
func (f *Feature) CDWrite() CDWrite {
	b := f.at(4)
	w := CDWrite{BufferUnderrunFree: bit(b, 6), TestWrite: bit(b, 2), CDRW: bit(b, 1), SubchannelRW: bit(b, 0)}
	if f != nil && f.Code == FeatureCDMastering {
		w.SessionAtOnce, w.RawMultiSession, w.Raw = bit(b, 5), bit(b, 4), bit(b, 3)
		w.MaxCueSheet = int(f.at(5))<<16 | int(f.at(6))<<8 | int(f.at(7))
	}
	return w
}

// DVDRWrite is feature 002Fh, DVD-R and DVD-RW write.
type DVDRWrite struct {
	BufferUnderrunFree bool
	DualLayer          bool
	TestWrite          bool
	Rewritable         bool // DVD-RW too
}

// DVDRWrite decodes feature 002Fh; on a nil Feature all is false.
func (f *Feature) DVDRWrite() DVDRWrite {
	b := f.at(4)
	return DVDRWrite{BufferUnderrunFree: bit(b, 6), DualLayer: bit(b, 3), TestWrite: bit(b, 2), Rewritable: bit(b, 1)}
}

// DVDPlus is feature 002Ah, 002Bh, 003Ah or 003Bh: DVD+RW, DVD+R and their dual
// layer kinds.
type DVDPlus struct {
	Write      bool // and not only read
	QuickStart bool // 002Ah, 003Ah
	CloseOnly  bool // 002Ah, 003Ah
}

// DVDPlus decodes feature 002Ah, 002Bh, 003Ah or 003Bh; on a nil Feature all is
// false.
func (f *Feature) DVDPlus() DVDPlus {
	p := DVDPlus{Write: bit(f.at(4), 0)}
	if f != nil && (f.Code == FeatureDVDPlusRW || f.Code == FeatureDVDPlusRWDL) {
		p.QuickStart, p.CloseOnly = bit(f.at(5), 1), bit(f.at(5), 0)
	}
	return p
}

// Incremental is feature 0021h, incremental streaming writable.
type Incremental struct {
	BufferUnderrunFree bool
	LinkSizes          []int // blocks
}

// Incremental decodes feature 0021h.
func (f *Feature) Incremental() Incremental {
	i := Incremental{BufferUnderrunFree: bit(f.at(6), 0)}
	for k := range int(f.at(7)) {
		if f == nil || 8+k-4 >= len(f.Data) {
			break
		}
		i.LinkSizes = append(i.LinkSizes, int(f.at(8+k)))
	}
	return i
}

// RandomReadable is feature 0010h (5.3.6).
type RandomReadable struct {
	BlockSize int // bytes
	Blocking  int // blocks that the medium reads at once
	PagePP    bool
}

// RandomReadable decodes feature 0010h.
func (f *Feature) RandomReadable() RandomReadable {
	return RandomReadable{
		BlockSize: int(f.at(4))<<24 | int(f.at(5))<<16 | int(f.at(6))<<8 | int(f.at(7)),
		Blocking:  int(f.at(8))<<8 | int(f.at(9)),
		PagePP:    bit(f.at(10), 0),
	}
}

// Text decodes a feature whose data are ASCII: 0108h, the serial number, and
// 010Ch, the date of the firmware (CCYYMMDDHHMMSS).
func (f *Feature) Text() string {
	if f == nil {
		return ""
	}
	return text(f.Data)
}

// interfaceNames are the physical interface standards of feature 0001h (5.3.2,
// table 93).
var interfaceNames = map[uint32]string{
	1: "SCSI", 2: "ATAPI", 3: "IEEE 1394", 4: "IEEE 1394", 6: "IEEE 1394", 7: "SATA", 8: "USB",
}

// Interface names the physical interface that feature 0001h states, or returns
// the empty string.
func (f *Feature) Interface() string {
	return interfaceNames[uint32(f.at(4))<<24|uint32(f.at(5))<<16|uint32(f.at(6))<<8|uint32(f.at(7))]
}

package format

import "spindle/disc"

// RemarkKind says what a [Remark] is about.
type RemarkKind uint8

// What can be remarked.
const (
	// CutShort: the file ends before what it holds does. Have bytes of it are there, of
	// Want, or of a number that nothing says when Want is 0. What is missing is a flaw of
	// the image.
	CutShort RemarkKind = iota + 1
	// OtherMap: a map that may have been beside the image by chance is not used, for it is
	// of a copy of Have bytes, and the image has Want.
	OtherMap
	// MapOfOther: a map of the right size is not used, for its command line names another copy.
	MapOfOther
	// BrokenMap: a map that names the image cannot be used, for Err. Which sectors are not
	// right is not known.
	BrokenMap
	// UsedMap: a map says that sectors of the image are not right.
	UsedMap
	// UsedLog: the log of an album says that sectors of the image are not right.
	UsedLog
	// BrokenLog: the log of an album that names files of the image cannot be used, for Err.
	// Which sectors are not right is not known.
	BrokenLog
	// InDoubt: a map says that the image was made from one that may be damaged, for Err. Which
	// sectors are not right is not known, beyond those that the map lists.
	InDoubt
	// DamagedFile: a compressed file is damaged, as Err says. What could be unpacked of it is
	// a flaw of the image like what could not.
	DamagedFile
	// NoSubchannels: the file of the sub-channels is missing (Want is 0), or ends before they
	// do. Those that are missing are made from the layout.
	NoSubchannels
	// OtherSub: a file of sub-channels that has the name of a CUE sheet is not used, for it has
	// Have bytes, and those of the image would have Want; nor does it begin as they do.
	OtherSub
	// SubOfOther: a file of sub-channels of the right size that has the name of a CUE sheet is
	// not used, for what it states of positions and codes is not what the sheet states.
	SubOfOther
	// UsedQ: the Q of Have sectors is what a file of changed Q beside the image states.
	UsedQ
	// OtherQ: such a file states another Q for Have sectors than the sub-channels that are saved
	// with the image, which are wrong there, too; these are used.
	OtherQ
	// BadQ: what has the name of such a file is not used, for Err.
	BadQ
	// BadCDText: a file of CD-TEXT beside the image is not used, for Err, or, where that is nil,
	// Have of its packs are not, for their checksums.
	BadCDText
	// InLayer: the file was looked through a Layer, the outermost first.
	InLayer
	// NoFileSystem: sectors of data are taken for a disc, and nothing in them says that they are. Err is
	// why the first of them cannot be unpacked, or nil.
	NoFileSystem
	// AbsentTracks: a CUE sheet says that it has not all tracks of its disc, but lacks Tracks. Of those
	// whose length it states, the sectors are flaws of the image.
	AbsentTracks
)

// A Remark is what opening an image found that is no error, and that its user should know.
type Remark struct {
	Kind       RemarkKind
	File       string
	Have, Want int64 // bytes
	Err        error
	Layer      *Layer // of InLayer
	Tracks     string // of AbsentTracks: their numbers, 0 being audio hidden before track 1
	Absent     disc.Flaws
	// Displaced, of CutShort: nothing says how much is missing, and what follows the file on the disc
	// stands that much too early in the image. Where Want is stated, that is the least, and it may stand too early.
	Displaced bool
}

// Observe has remark receive what is found while the image of this file is opened.
func (f *File) Observe(remark func(Remark)) {
	f.remark = remark
	for i := range f.layers {
		f.Remark(Remark{Kind: InLayer, File: f.Path, Layer: &f.layers[i]})
	}
}

// Remark reports what was found to the observer, if there is one.
func (f *File) Remark(r Remark) {
	if f.remark != nil {
		f.remark(r)
	}
}

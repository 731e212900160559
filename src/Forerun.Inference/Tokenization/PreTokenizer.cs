using System.Collections.Frozen;

namespace Forerun.Inference.Tokenization;

/// <summary>Splits text into the pieces that byte-level BPE never merges across. Immutable and thread-safe.</summary>
internal sealed class PreTokenizer
{
    private static readonly FrozenDictionary<string, PreTokenizer> ByName = new Dictionary<string, PreTokenizer>
    {
        ["gpt-2"] = new(Gpt2Pattern.Match),
        ["smollm"] = new(Gpt2Pattern.Match) { SplitsDigitsFirst = true },
        ["llama-bpe"] = new(text => Llama3Pattern.Match(text, maxDigits: 3)) { KnowsWholeWords = true },
        ["qwen2"] = new(text => Llama3Pattern.Match(text, maxDigits: 1)),
    }.ToFrozenDictionary();

    private readonly Pattern _pattern;

    private PreTokenizer(Pattern pattern) => _pattern = pattern;

    private delegate int Pattern(ReadOnlySpan<byte> text);

    /// <summary>The names of all that are supported, in order.</summary>
    public static IEnumerable<string> Names => ByName.Keys.Order(StringComparer.Ordinal);

    /// <summary>Whether a piece that is a token is that token, whatever the merges say.</summary>
    public bool KnowsWholeWords { get; private init; }

    /// <summary>Whether every digit stands alone and the pattern sees only what lies between digits.</summary>
    private bool SplitsDigitsFirst { get; init; }

    /// <summary>The pre-tokenizer of a name; null when it is not supported.</summary>
    public static PreTokenizer? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>Splits valid UTF-8 into pieces, in order and without gaps.</summary>
    public Enumerator Split(ReadOnlySpan<byte> text) => new(this, text);

    /// <summary>Length of the first run: a digit, or everything up to the next digit.</summary>
    private static int DigitOrRunWithoutDigits(ReadOnlySpan<byte> text)
    {
        if (CharacterKinds.At(text, 0, out var digitBytes) == CharacterKind.Number)
        {
            return digitBytes;
        }

        var end = 0;
        while (end < text.Length && CharacterKinds.At(text, end, out var bytes) != CharacterKind.Number)
        {
            end += bytes;
        }

        return end;
    }

    /// <summary>Walks over the pieces.</summary>
    public ref struct Enumerator
    {
        private readonly PreTokenizer _owner;
        private ReadOnlySpan<byte> _run;
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(PreTokenizer owner, ReadOnlySpan<byte> text)
        {
            _owner = owner;
            _rest = text;
        }

        /// <summary>The piece.</summary>
        public ReadOnlySpan<byte> Current { get; private set; }

        /// <summary>The enumerator of a <c>foreach</c>.</summary>
        public readonly Enumerator GetEnumerator() => this;

        /// <summary>Goes to the next piece.</summary>
        public bool MoveNext()
        {
            if (_run.IsEmpty && !_rest.IsEmpty)
            {
                var length = _owner.SplitsDigitsFirst ? DigitOrRunWithoutDigits(_rest) : _rest.Length;
                _run = _rest[..length];
                _rest = _rest[length..];
            }

            if (_run.IsEmpty)
            {
                return false;
            }

            var piece = _owner._pattern(_run);
            Current = _run[..piece];
            _run = _run[piece..];
            return true;
        }
    }
}

namespace Forerun.Inference.Tokenization;

/// <summary>Writes a conversation down.</summary>
internal delegate void ChatFormat(Conversation conversation, ConversationWriter writer);

/// <summary>What the templates write that have no rules of their own.</summary>
internal static class ChatFormats
{
    private const string AssistantStart = "<|im_start|>assistant\n";
    private const string Qwen15SystemText = "You are a helpful assistant";
    private const string Qwen25SystemText = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";

    /// <summary>ChatML. A default system text is written when the first message is not a system one.</summary>
    /// <param name="defaultSystemText">The text; null = none.</param>
    /// <param name="writesBegin">Whether the begin token comes first.</param>
    public static ChatFormat ChatMl(string? defaultSystemText, bool writesBegin) => (conversation, writer) =>
    {
        if (writesBegin)
        {
            writer.Begin();
        }

        WriteDefaultSystem(defaultSystemText, conversation, writer);

        foreach (var message in conversation.Messages)
        {
            ChatMlTurn(message.Role, message.Content, writer);
        }

        ChatMlPrompt(conversation, writer);
    };

    /// <summary>Qwen 1.5: ChatML in which the last turn stays open when no turn of the assistant follows.</summary>
    public static void Qwen15(Conversation conversation, ConversationWriter writer)
    {
        var (messages, adds) = (conversation.Messages, conversation.AddGenerationPrompt);
        if (adds)
        {
            conversation.RequireMessages();
        }

        WriteDefaultSystem(Qwen15SystemText, conversation, writer);
        for (var i = 0; i < messages.Count; i++)
        {
            writer.Template($"<|im_start|>{messages[i].Role}\n").Content(messages[i].Content);
            writer.Template(adds || i < messages.Count - 1 ? "<|im_end|>\n" : "");
        }

        if (adds && messages[^1].Role != Conversation.Assistant)
        {
            writer.Template(AssistantStart);
        }
    }

    /// <summary>Qwen 2.5: ChatML with a default system text.</summary>
    public static void Qwen25(Conversation conversation, ConversationWriter writer)
    {
        conversation.RequireMessages();
        ChatMl(Qwen25SystemText, writesBegin: false)(conversation, writer);
    }

    /// <summary>Zephyr and TinyLlama.</summary>
    public static void Zephyr(Conversation conversation, ConversationWriter writer)
    {
        foreach (var message in conversation.Messages)
        {
            writer.Template($"<|{message.Role}|>\n").Content(message.Content).End().Template("\n");
        }

        if (conversation is { AddGenerationPrompt: true, Messages.Count: > 0 })
        {
            writer.Template("<|assistant|>\n");
        }
    }

    /// <summary>Vicuna 1.1.</summary>
    public static void Vicuna(Conversation conversation, ConversationWriter writer)
    {
        foreach (var message in conversation.Messages)
        {
            _ = message.Role switch
            {
                Conversation.System => writer.Content(message.Content).Template("\n\n"),
                Conversation.User => writer.Template("USER: ").Content(message.Content).Template("\n"),
                _ => writer.Template("ASSISTANT: ").Content(message.Content).Template("</s>\n"),
            };
        }

        if (conversation.AddGenerationPrompt)
        {
            writer.Template("ASSISTANT:");
        }
    }

    /// <summary>One turn of ChatML.</summary>
    public static void ChatMlTurn(string role, string content, ConversationWriter writer) =>
        writer.Template($"<|im_start|>{role}\n").Content(content).Template("<|im_end|>\n");

    /// <summary>The start of the assistant's turn in ChatML, if wanted.</summary>
    public static void ChatMlPrompt(Conversation conversation, ConversationWriter writer)
    {
        if (conversation.AddGenerationPrompt)
        {
            writer.Template(AssistantStart);
        }
    }

    private static void WriteDefaultSystem(string? text, Conversation conversation, ConversationWriter writer)
    {
        if (text is not null && conversation.Messages is [{ Role: not Conversation.System }, ..])
        {
            writer.Template($"<|im_start|>system\n{text}<|im_end|>\n");
        }
    }
}
